/** The mesh thread of a node: sessions, membership, links, moves, and on the anchor the coordination server. */
import { workerData } from "node:worker_threads";
import { MeshThread } from "./mesh-thread.ts";
import type { MeshThreadSetup } from "./thread-setup.ts";

new MeshThread(workerData as MeshThreadSetup);
