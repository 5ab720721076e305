/** `@glia-os/inference`: models as ports. A client for chat completions, scripts, cassettes. */
export { type CassetteMode, type CassetteOptions, createCassetteModel } from "./cassette.ts";
export type { ChatAnswer, ChatMessage, ChatRequest, ToolCall, ToolOffer, Usage } from "./chat.ts";
export { type ChatClientOptions, createChatModel } from "./chat-client.ts";
export {
  AuthError,
  BadAnswerError,
  BadCassetteError,
  BadModelOptionError,
  CassetteMissError,
  NetworkError,
  OutOfFundsError,
  OverloadedError,
  type Refusal,
  RefusedError,
  ScriptEndedError,
  ThrottledError,
  TooLargeError,
} from "./errors.ts";
export type { Prices } from "./prices.ts";
export {
  createScriptedModel,
  type Plain,
  type ScriptedAnswer,
  type ScriptedModel,
} from "./scripted-model.ts";
