/** The part of the ONNX protobuf schema that our graphs use, as protobufjs reads it. Field numbers are ONNX's, and ours to keep. */
import protobuf from "protobufjs/light.js";

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number, packed = false) => ({ type, id, rule: "repeated", options: { packed } });

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        graph: field("GraphProto", 7),
        opsetImport: repeated("OperatorSetIdProto", 8),
      },
    },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    GraphProto: {
      fields: {
        node: repeated("NodeProto", 1),
        name: field("string", 2),
        initializer: repeated("TensorProto", 5),
        input: repeated("ValueInfoProto", 11),
        output: repeated("ValueInfoProto", 12),
      },
    },
    NodeProto: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: repeated("AttributeProto", 5),
        domain: field("string", 7),
      },
    },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        g: field("GraphProto", 6),
        floats: repeated("float", 7, true),
        ints: repeated("int64", 8, true),
        type: field("int32", 20),
      },
    },
    TensorProto: {
      fields: {
        dims: repeated("int64", 1, true),
        dataType: field("int32", 2),
        name: field("string", 8),
        rawData: field("bytes", 9),
        externalData: repeated("StringStringEntryProto", 13),
        dataLocation: field("int32", 14),
      },
    },
    StringStringEntryProto: { fields: { key: field("string", 1), value: field("string", 2) } },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    TypeProto: { fields: { tensorType: field("TensorTypeProto", 1) } },
    TensorTypeProto: { fields: { elemType: field("int32", 1), shape: field("TensorShapeProto", 2) } },
    TensorShapeProto: { fields: { dim: repeated("DimensionProto", 1) } },
    DimensionProto: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
  },
});

const ModelProto = root.lookupType("ModelProto");

/** AttributeProto's type tags. */
export const ATTRIBUTE = { float: 1, int: 2, string: 3, graph: 5, floats: 6, ints: 7 } as const;
/** TensorProto's element types. */
export const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 } as const;
export type ElementType = keyof typeof ELEMENT;

export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  g?: GraphProto;
  floats?: readonly number[];
  ints?: readonly number[];
}
export interface NodeProto {
  input: readonly string[];
  output: readonly string[];
  name: string;
  opType: string;
  attribute: readonly AttributeProto[];
  domain: string;
}
export interface TensorProto {
  dims: readonly number[];
  dataType: number;
  name: string;
  rawData?: Uint8Array;
  externalData?: readonly { key: string; value: string }[];
  dataLocation?: number;
}
export interface ValueInfoProto {
  name: string;
  type?: { tensorType: { elemType: number; shape: { dim: readonly ({ dimValue: number } | { dimParam: string })[] } } };
}
export interface GraphProto {
  name: string;
  node: readonly NodeProto[];
  initializer: readonly TensorProto[];
  input: readonly ValueInfoProto[];
  output: readonly ValueInfoProto[];
}

/** Serialises a graph as an ONNX model that uses the standard operators and onnxruntime's own ("com.microsoft"). */
export function encodeModel(graph: GraphProto, opset: number): Uint8Array {
  const model = {
    irVersion: 10,
    producerName: "pyramidkv",
    graph,
    opsetImport: [
      { domain: "", version: opset },
      { domain: "com.microsoft", version: 1 },
    ],
  };
  return ModelProto.encode(ModelProto.create(model)).finish();
}
