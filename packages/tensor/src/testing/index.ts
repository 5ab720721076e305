export { backendContract, type ContractCase, type ContractOptions } from "./backend-contract.ts";
