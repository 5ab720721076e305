/** The grant of agents that speak with other agents, and the capability that comes with it. */

/** As a manifest asks for it. It stands in every bundle that runs a definition, and only there. */
export const AGENTS_GRANT = "service/agents";
/** What the guest asks for it by. */
export const AGENTS_CAPABILITY: string = AGENTS_GRANT.slice("service/".length);
/** The module its calls are imported from. */
export const AGENTS_MODULE = "glia.sys.v1";
