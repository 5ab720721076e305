/** Error numbers of WASI preview 1 that this implementation answers with (witx `errno`). */
export const ERRNO = {
  success: 0,
  badf: 8,
  exist: 20,
  fault: 21,
  inval: 28,
  isdir: 31,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  nosys: 52,
  notdir: 54,
  notsup: 58,
  rofs: 69,
  spipe: 70,
  notcapable: 76,
} as const;

/** One of {@link ERRNO}. */
export type Errno = (typeof ERRNO)[keyof typeof ERRNO];

/** File types (witx `filetype`). */
export const FILETYPE = { character: 2, directory: 3, regular: 4 } as const;
