/**
 * A model of one matrix product in the format of ONNX (onnx.proto3), written byte by byte: ModelProto { ir_version 1, graph 7,
 * opset_import 8 }, GraphProto { node 1, name 2, input 11, output 12 }, NodeProto { input 1, output 2, op_type 4 }.
 */

/** Element type FLOAT of TensorProto. */
const FLOAT = 1;
const IR_VERSION = 8;
const OPSET = 13;

/** Fields are longer than 127 bytes at most once here, so two bytes of length are enough. */
function length(bytes: number): number[] {
  return bytes < 128 ? [bytes] : [(bytes & 127) | 128, bytes >> 7];
}

const number = (field: number, value: number): number[] => [field << 3, value];
const bytes = (field: number, content: readonly number[]): number[] => [
  (field << 3) | 2,
  ...length(content.length),
  ...content,
];
/** Names here are ASCII. */
const text = (field: number, value: string): number[] =>
  bytes(
    field,
    Array.from(value, (letter) => letter.charCodeAt(0)),
  );

/**
 * A matrix whose sides have names in place of lengths: ValueInfoProto { name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1
 * { dim_param 2 } } } } }.
 */
function matrix(name: string, sides: readonly [string, string]): number[] {
  const dimensions = sides.flatMap((side) => bytes(1, text(2, side)));
  const type = [...number(1, FLOAT), ...bytes(2, dimensions)];
  return [...text(1, name), ...bytes(2, bytes(1, type))];
}

/** C = A B of matrices of f32 of any lengths that fit. */
export function productModel(): Uint8Array {
  const node = [...text(1, "A"), ...text(1, "B"), ...text(2, "C"), ...text(4, "MatMul")];
  const graph = [
    ...bytes(1, node),
    ...text(2, "product"),
    ...bytes(11, matrix("A", ["m", "k"])),
    ...bytes(11, matrix("B", ["k", "n"])),
    ...bytes(12, matrix("C", ["m", "n"])),
  ];
  return Uint8Array.from([...number(1, IR_VERSION), ...bytes(7, graph), ...bytes(8, number(2, OPSET))]);
}
