/**
 * A model of one matrix product in the format of ONNX (onnx.proto3, version 8), written byte by byte: ModelProto { ir_version 1, graph 7,
 * opset_import 8 }, GraphProto { node 1, name 2, input 11, output 12 }.
 */

/** Element type FLOAT of TensorProto. */
const FLOAT = 1;
const OPSET = 13;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

const number = (field: number, value: number): number[] => [field << 3, ...varint(value)];
const bytes = (field: number, content: readonly number[]): number[] => [
  (field << 3) | 2,
  ...varint(content.length),
  ...content,
];
const text = (field: number, value: string): number[] => bytes(field, [...new TextEncoder().encode(value)]);

/** A matrix's name and shape: ValueInfoProto { name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 } } } } }. */
function matrix(name: string, side: number): number[] {
  const dimension = bytes(1, number(1, side));
  const type = [...number(1, FLOAT), ...bytes(2, [...dimension, ...dimension])];
  return [...text(1, name), ...bytes(2, bytes(1, type))];
}

/** C = A B of square matrices of f32. */
export function matmulModel(side: number): Uint8Array {
  const node = [...text(1, "A"), ...text(1, "B"), ...text(2, "C"), ...text(4, "MatMul")];
  const graph = [
    ...[...bytes(1, node), ...text(2, "product")],
    ...[...bytes(11, matrix("A", side)), ...bytes(11, matrix("B", side)), ...bytes(12, matrix("C", side))],
  ];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, OPSET))]);
}
