/**
 * Every function of WASI preview 1 with its type, so that any module that imports one of them can be loaded. What a function does
 * is in module.ts; those without an implementation answer with the error number of {@link ABSENT}.
 */

import type { HostFunction, HostValue } from "@glia-os/abi/ports";
import { ERRNO, type Errno } from "./errno.ts";
import { WASI_MODULE, WASI_SUSPENDING } from "./suspending.ts";

/** Parameters as letters: i is i32, l is i64. All return an error number as i32, but for `proc_exit`. */
const PARAMETERS: Readonly<Record<string, string>> = {
  args_get: "ii",
  args_sizes_get: "ii",
  clock_res_get: "ii",
  clock_time_get: "ili",
  environ_get: "ii",
  environ_sizes_get: "ii",
  fd_advise: "illi",
  fd_allocate: "ill",
  fd_close: "i",
  fd_datasync: "i",
  fd_fdstat_get: "ii",
  fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "ill",
  fd_filestat_get: "ii",
  fd_filestat_set_size: "il",
  fd_filestat_set_times: "illi",
  fd_pread: "iiili",
  fd_prestat_dir_name: "iii",
  fd_prestat_get: "ii",
  fd_pwrite: "iiili",
  fd_read: "iiii",
  fd_readdir: "iiili",
  fd_renumber: "ii",
  fd_seek: "ilii",
  fd_sync: "i",
  fd_tell: "ii",
  fd_write: "iiii",
  path_create_directory: "iii",
  path_filestat_get: "iiiii",
  path_filestat_set_times: "iiiilli",
  path_link: "iiiiiii",
  path_open: "iiiiillii",
  path_readlink: "iiiiii",
  path_remove_directory: "iii",
  path_rename: "iiiiii",
  path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii",
  proc_exit: "i",
  proc_raise: "i",
  random_get: "ii",
  sched_yield: "",
  sock_accept: "iii",
  sock_recv: "iiiiii",
  sock_send: "iiiii",
  sock_shutdown: "ii",
};

/** Functions without an implementation: changes of a read-only file system, signals, sockets. */
export const ABSENT: Readonly<Record<string, Errno>> = {
  fd_allocate: ERRNO.rofs,
  fd_fdstat_set_flags: ERRNO.notsup,
  fd_fdstat_set_rights: ERRNO.notsup,
  fd_filestat_set_size: ERRNO.rofs,
  fd_filestat_set_times: ERRNO.rofs,
  fd_pwrite: ERRNO.rofs,
  path_create_directory: ERRNO.rofs,
  path_filestat_set_times: ERRNO.rofs,
  path_link: ERRNO.rofs,
  path_remove_directory: ERRNO.rofs,
  path_rename: ERRNO.rofs,
  path_symlink: ERRNO.rofs,
  path_unlink_file: ERRNO.rofs,
  path_readlink: ERRNO.inval,
  proc_raise: ERRNO.nosys,
  sock_accept: ERRNO.nosys,
  sock_recv: ERRNO.nosys,
  sock_send: ERRNO.nosys,
  sock_shutdown: ERRNO.nosys,
};

function declared([name, letters]: readonly [string, string]): [string, HostFunction] {
  const params = [...letters].map((letter): HostValue => (letter === "l" ? "i64" : "i32"));
  const suspends = WASI_SUSPENDING.includes(`${WASI_MODULE}/${name}`);
  return [name, { params, result: name === "proc_exit" ? "none" : "i32", ...(suspends ? { suspends } : {}) }];
}

/** The declarations, by name. */
export const WASI_FUNCTIONS: Readonly<Record<string, HostFunction>> = Object.fromEntries(
  Object.entries(PARAMETERS).map(declared),
);
