/** What a graph has from the start, and its subgraphs with it: constants in it, weights beside it. */
import { ELEMENT, type ElementType, type TensorProto } from "./schema.ts";

/** The name of an edge in a graph. */
export type Value = string & { readonly edge: unique symbol };
export const edge = (name: string): Value => name as Value;

/** A weight beside a graph, not yet computed. */
export interface OnnxWeight {
  /** A plain file name, under which the graph refers to it. */
  readonly path: string;
  readonly byteLength: number;
  /** Computes it into the first `byteLength` bytes. */
  readonly fill: (into: ArrayBuffer) => void;
}

export class Initializers {
  readonly tensors: TensorProto[] = [];
  readonly weights: OnnxWeight[] = [];
  readonly #constants = new Map<string, Value>();

  /** A weight named as a plain file, unique. */
  weight(
    name: string,
    type: ElementType,
    dims: readonly number[],
    byteLength: number,
    fill: OnnxWeight["fill"],
  ): Value {
    const externalData = [
      { key: "location", value: name },
      { key: "offset", value: "0" },
      { key: "length", value: String(byteLength) },
    ];
    this.tensors.push({ dims, dataType: ELEMENT[type], name, externalData, dataLocation: 1 });
    this.weights.push({ path: name, byteLength, fill });
    return edge(name);
  }

  /** What has the same key is the same constant. */
  constant(key: string, type: ElementType, dims: readonly number[], rawData: Uint8Array): Value {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `const/${key}`;
    this.tensors.push({ dims, dataType: ELEMENT[type], name, rawData });
    this.#constants.set(key, edge(name));
    return edge(name);
  }
}
