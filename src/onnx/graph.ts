/**
 * Writes ONNX graphs as TypeScript expressions: `const y = g.op("MatMul", [x, w])`.
 *
 * A value is the name of an edge. Constants are small and stored in the graph; weights lie beside it (external data), in memory
 * or in files of their names, and are computed when they are asked for. Subgraphs (for `If`) see the values around them.
 */
import { type Attributes, attribute, type Dim, valueInfo } from "./described.ts";
import { edge, Initializers, type OnnxWeight, type Value } from "./initializers.ts";
import {
  type AttributeProto,
  type ElementType,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from "./schema.ts";

export type { OnnxWeight, Value };

/** A finished graph: what a `SessionHost` opens. The same whether its weights come from memory or from files. */
export interface OnnxModel {
  readonly graph: Uint8Array;
  readonly weights: readonly OnnxWeight[];
}

const OPSET = 21;

export class Graph {
  readonly #nodes: NodeProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #initializers: Initializers;
  readonly #prefix: string;

  constructor(outer?: Graph, prefix = "") {
    this.#initializers = outer === undefined ? new Initializers() : outer.#initializers;
    this.#prefix = prefix;
  }

  input(name: string, type: ElementType, shape: readonly Dim[]): Value {
    this.#inputs.push(valueInfo(name, type, shape));
    return edge(name);
  }

  /** Makes an edge an output of the graph, under another name through a copy. */
  output(name: string, value: Value, type: ElementType, shape: readonly Dim[]): void {
    if (name !== value) {
      const attribute: AttributeProto[] = [];
      this.#nodes.push({
        input: [value],
        output: [name],
        name: `output/${name}`,
        opType: "Identity",
        attribute,
        domain: "",
      });
    }
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** One operator with one output. Inputs may be "" where ONNX lets one be left out. */
  op(type: string, inputs: readonly (Value | "")[], attributes: Attributes = {}): Value {
    return this.#node(type, inputs, attributes, 1, "")[0];
  }

  /** One operator of onnxruntime's own set with one output. */
  msOp(type: string, inputs: readonly (Value | "")[], attributes: Attributes = {}): Value {
    return this.#node(type, inputs, attributes, 1, "com.microsoft")[0];
  }

  /** One operator with several outputs: how many, or for each whether it is wanted (what is not gets no edge). */
  ops(
    type: string,
    inputs: readonly (Value | "")[],
    outputs: number | readonly boolean[],
    attributes: Attributes = {},
    domain: "" | "com.microsoft" = "",
  ): readonly [Value, ...Value[]] {
    return this.#node(type, inputs, attributes, outputs, domain);
  }

  /** A shape, axes or sizes: int64 [values.length]. */
  ints(...values: readonly number[]): Value {
    return this.#initializers.constant(
      `i${values.join(",")}`,
      "int64",
      [values.length],
      bytes(BigInt64Array.from(values, BigInt)),
    );
  }

  /** An int64 scalar. */
  int(value: number): Value {
    return this.#initializers.constant(`s${value}`, "int64", [], bytes(BigInt64Array.of(BigInt(value))));
  }

  /** An fp32 scalar. */
  float(value: number): Value {
    return this.#initializers.constant(`f${value}`, "float32", [], bytes(Float32Array.of(value)));
  }

  /** An fp32 weight beside the graph. Names are plain file names, unique across the graph and its subgraphs. */
  weight(name: string, shape: readonly number[], fill: (into: Float32Array<ArrayBuffer>) => void): Value {
    const length = size(shape);
    return this.#initializers.weight(name, "float32", shape, length * Float32Array.BYTES_PER_ELEMENT, (into) =>
      fill(new Float32Array(into, 0, length)),
    );
  }

  /** A weight of bytes (uint8), named as those of fp32 are. */
  byteWeight(name: string, shape: readonly number[], fill: (into: Uint8Array<ArrayBuffer>) => void): Value {
    const length = size(shape);
    return this.#initializers.weight(name, "uint8", shape, length, (into) => fill(new Uint8Array(into, 0, length)));
  }

  /**
   * Evaluates one of two subgraphs, which give equally many values; both may use any value of this graph.
   *
   * @param names of the values, for those that become outputs of the graph without a copy
   */
  choose(
    condition: Value,
    whenTrue: (g: Graph) => readonly Value[],
    whenFalse: (g: Graph) => readonly Value[],
    label: string,
    names: readonly (string | null)[] = [],
  ): readonly [Value, ...Value[]] {
    const branch = (side: string, build: (g: Graph) => readonly Value[]): GraphProto => {
      const graph = new Graph(this, `${this.#prefix}${label}/${side}/`);
      const output = build(graph).map((name) => ({ name }));
      return { name: `${label}/${side}`, node: graph.#nodes, initializer: [], input: [], output };
    };
    const [then, otherwise] = [branch("then", whenTrue), branch("else", whenFalse)];
    const branches = { then_branch: then, else_branch: otherwise };
    return this.#node("If", [condition], branches, then.output.length, "", names);
  }

  finish(name: string): OnnxModel {
    const graph = {
      name,
      node: this.#nodes,
      initializer: this.#initializers.tensors,
      input: this.#inputs,
      output: this.#outputs,
    };
    return { graph: encodeModel(graph, OPSET), weights: this.#initializers.weights };
  }

  #node(
    type: string,
    input: readonly string[],
    attributes: Attributes,
    outputs: number | readonly boolean[],
    domain: string,
    names: readonly (string | null)[] = [],
  ): readonly [Value, ...Value[]] {
    const name = `${this.#prefix}${this.#nodes.length}/${type}`;
    const wanted = typeof outputs === "number" ? new Array<boolean>(outputs).fill(true) : outputs;
    const output = wanted.map((want, i) => (want ? edge(names[i] ?? (i === 0 ? name : `${name}:${i}`)) : edge("")));
    const [first = edge(""), ...rest] = output.filter((value) => value !== "");
    this.#nodes.push({
      input,
      output,
      name,
      opType: type,
      attribute: Object.entries(attributes).map(attribute),
      domain,
    });
    return [first, ...rest];
  }
}

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const bytes = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
