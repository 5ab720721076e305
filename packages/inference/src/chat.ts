/** Requests and answers of chat models, in the form of chat completions: what `sys.model` carries. */

/** A call of a tool that a model asks for. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON as the model wrote it: check it before use. */
  readonly function: { readonly name: string; readonly arguments: string };
}

/** One part of a conversation. Providers may know more fields; they pass through. */
export interface ChatMessage {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool";
  readonly content: string | null | readonly Readonly<Record<string, unknown>>[];
  readonly tool_calls?: readonly ToolCall[];
  /** Which call a `tool` message answers. */
  readonly tool_call_id?: string;
}

/** What a model may call. `parameters` is a JSON Schema. */
export interface ToolOffer {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  };
}

/** A request to a chat model. Other fields pass to the provider. */
export interface ChatRequest {
  /** Default: the model the client was made with. */
  readonly model?: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolOffer[];
  /** Most tokens of the answer. */
  readonly max_tokens?: number;
  /** Most it may cost, for accounts that limit money; it is not sent. */
  readonly max_cost?: number;
}

/** What a request used. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** In the smallest unit of the money of `prices`; absent without prices. */
  readonly cost?: number;
}

/** The answer of a chat model: its first choice. */
export interface ChatAnswer {
  readonly id: string;
  readonly model: string;
  readonly message: ChatMessage & { readonly role: "assistant"; readonly content: string | null };
  /** `tool_calls` whenever there are some, whatever the provider said. */
  readonly finish_reason: string;
  /** Absent when the provider did not say. */
  readonly usage?: Usage;
}
