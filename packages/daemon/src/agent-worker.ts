/** The agent thread of a node: kernel, WebAssembly guests, cells. */
import { workerData } from "node:worker_threads";
import { runAgentThread } from "./agent-thread.ts";
import type { AgentThreadSetup } from "./thread-setup.ts";

runAgentThread(workerData as AgentThreadSetup);
