/** Codes of the `tensor` namespace: tensors, their spaces and their backends. */
export const TENSOR_CODES = {
  "tensor.adapter-failed": {
    retryable: false,
    changed: "The out-parameter may hold a part of a result. Other products of the queue go on.",
    fix: "See the cause; make the product with `matmul`, or make the queue anew, with another adapter or none.",
  },
  "tensor.bad-axis": {
    retryable: false,
    changed: "Nothing: no tensor was made or written.",
    fix: "Name an axis from -rank to rank - 1, each at most once.",
  },
  "tensor.bad-backend": {
    retryable: false,
    changed: "Nothing: the backend was not taken into use.",
    fix: "Ask for one of the backends that the message lists as usable here, or for none.",
  },
  "tensor.bad-layout": {
    retryable: false,
    changed: "Nothing: no view was made.",
    fix: "Copy the tensor first (`copy()`), or give memory that belongs to the space of the tensor.",
  },
  "tensor.bad-option": {
    retryable: false,
    changed: "Nothing: no tensor was made or written.",
    fix: "Give a value in the range that the message names.",
  },
  "tensor.bad-shape": {
    retryable: false,
    changed: "Nothing: no tensor was made.",
    fix: "Give at most 8 dimensions, each a whole number from 0, and as many values as they hold.",
  },
  "tensor.empty": {
    retryable: false,
    changed: "Nothing: no tensor was made or written.",
    fix: "Give at least one element along the axis: this has no value for none.",
  },
  "tensor.freed": {
    retryable: false,
    changed: "Nothing.",
    fix: "Use a tensor before it is freed; make a view or a copy of it when something else is to go on using its values.",
  },
  "tensor.other-space": {
    retryable: false,
    changed: "Nothing: no tensor was made or written.",
    fix: "Make all operands in one space, or copy them over with `space.from(other)`.",
  },
  "tensor.queue-closed": {
    retryable: false,
    changed: "Nothing: the product was not made.",
    fix: "Ask for products before `close`; make a new queue for others.",
  },
  "tensor.queue-full": {
    retryable: true,
    changed: "Nothing: the product was not made.",
    fix: "Wait for products that were asked for before, and ask again.",
  },
  "tensor.quota-exceeded": {
    retryable: false,
    changed: "Nothing: no memory was taken.",
    fix: "Free tensors that are not needed any more, use out-parameters, or give the space a larger `limitBytes`.",
  },
  "tensor.shape-mismatch": {
    retryable: false,
    changed: "Nothing: no tensor was made or written.",
    fix: "Give shapes that fit each other by the rules in docs/spec/tensor.md; the message names those given.",
  },
  "tensor.space-closed": {
    retryable: false,
    changed: "Nothing.",
    fix: "Close a space, or let its `using` block end, when its tensors are not needed any more; make a new space for others.",
  },
  "tensor.too-large": {
    retryable: false,
    changed: "Nothing: no memory was taken.",
    fix: "Split the data: a tensor holds at most 2^31 - 1 elements and 2^32 - 65536 bytes.",
  },
  "tensor.wrong-dtype": {
    retryable: false,
    changed: "Nothing: no tensor was made or written.",
    fix: "Convert with `cast` first; operations do not convert by themselves. The message lists what is taken.",
  },
} as const;
