/** Constants of the snapshot format (docs/spec/snapshot.md). */

/** First bytes of every snapshot: "GLSN" and a version byte. */
export const SNAPSHOT_MAGIC: readonly number[] = [0x47, 0x4c, 0x53, 0x4e];

/** First bytes of every increment of a snapshot: "GLSI". */
export const INCREMENT_MAGIC: readonly number[] = [0x47, 0x4c, 0x53, 0x49];

/** Version of the snapshot format this build writes and reads. */
export const SNAPSHOT_VERSION = 1;

/** Size of one page of linear memory in snapshots, in bytes. Pages of zeros are left out. */
export const SNAPSHOT_PAGE_BYTES = 4096;
