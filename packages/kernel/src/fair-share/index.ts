/** Sharing the processor: budgets per task or group, and start-time fair queueing by weight. */
export { Budget, type BudgetOptions, type Spending } from "./budget.ts";
export { FairQueue, type Flow, type FlowOptions, type Served } from "./fair-queue.ts";
export { ShareGroup, type ShareRequest } from "./share-group.ts";
