/** Attributes and shapes as ONNX's schema has them. */
import {
  ATTRIBUTE,
  type AttributeProto,
  ELEMENT,
  type ElementType,
  type GraphProto,
  type ValueInfoProto,
} from "./schema.ts";

export type Dim = number | string;
export type Attribute = number | string | readonly number[] | { readonly float: number } | GraphProto;
export type Attributes = Readonly<Record<string, Attribute>>;

export function attribute([name, value]: readonly [string, Attribute]): AttributeProto {
  if (typeof value === "number") return { name, type: ATTRIBUTE.int, i: value };
  if (typeof value === "string") return { name, type: ATTRIBUTE.string, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: ATTRIBUTE.float, f: value.float };
  if ("node" in value) return { name, type: ATTRIBUTE.graph, g: value };
  return { name, type: ATTRIBUTE.ints, ints: value };
}

export function valueInfo(name: string, type: ElementType, shape: readonly Dim[]): ValueInfoProto {
  const dim = shape.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType: ELEMENT[type], shape: { dim } } } };
}
