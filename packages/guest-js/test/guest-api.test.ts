/** What an agent can do with the guest API, each inside the engine. */

import { expect, it } from "vitest";
import {
  decodeFrozenAgent,
  encodeFrozenAgent,
  goldenState,
  resumeAgentRun,
  unpackAgentRun,
} from "../src/run/index.ts";
import { admitted, inline } from "./agent-modules.ts";
import { Driven, drive } from "./drive.ts";

const api = `import { defineAgent, inbox, onSpawn, sys } from "@glia-os/guest-js";`;

it("answers messages from `for await`, as JSON, text and bytes", async () => {
  const agent = await drive(
    await inline(`${api}
      for await (const m of inbox) {
        const what = m.text();
        if (what === "bytes") m.reply(new Uint8Array([104, 105]).subarray(0, 2));
        else if (what === "size") m.reply([m.size, m.bytes().length]);
        else m.reply("ä" + what);
      }`),
  );
  expect(agent.ask("x")).toBe("äx");
  expect(agent.ask("bytes")).toBe("hi");
  expect(agent.ask("size")).toBe("[4,4]");
});

it("defineAgent: state, a start at spawn, and what receive returns as the reply", async () => {
  const module = await inline(`${api}
    defineAgent({
      state: () => ({ n: 0, started: 0 }),
      async start(state) { await sys.delay(5); state.started = sys.now(); },
      receive: async (m, state) => { state.n += m.json<number>(); return { ...state }; },
    });`);
  const agent = await drive(module);
  agent.nowMs += 5;
  expect(agent.ask("2")).toBe(`{"n":2,"started":${agent.nowMs}}`);
  expect(agent.ask("3")).toBe(`{"n":5,"started":${agent.nowMs}}`);
});

it("timers fire in the order of their deadlines, beside messages, and count from the spawn", async () => {
  const agent = await drive(
    await inline(`${api}
      const fired: string[] = [];
      setTimeout(() => fired.push("c"), 30);
      setTimeout(() => fired.push("a"), 10);
      const every = setInterval(() => { fired.push("i"); if (fired.length > 4) clearInterval(every); }, 12);
      clearTimeout(setTimeout(() => fired.push("never"), 1));
      for await (const m of inbox) m.reply(fired.join(""));`),
  );
  expect(agent.run.state).toEqual({ kind: "waiting", untilMs: agent.nowMs + 10 });
  expect(agent.ask("?")).toBe("");
  agent.nowMs += 10;
  agent.run.run();
  expect(agent.ask("?")).toBe("a");
  agent.nowMs += 3;
  agent.run.run();
  agent.nowMs += 12;
  agent.run.run();
  agent.nowMs += 50;
  agent.run.run(50);
  expect(agent.ask("?")).toBe("aiici");
});

it("timers that are always due and messages that wait take turns", async () => {
  const module = await inline(`${api}
    let n = 0;
    const again = () => { n++; setTimeout(again, 0); };
    again();
    for await (const m of inbox) m.reply(n > 0);`);
  const agent = new Driven(await admitted(module));
  for (let i = 0; i < 5; i++) {
    const number = agent.run.send(Buffer.from("x"));
    agent.run.run(50);
    expect(agent.replies.at(-1)).toEqual([number, "true"]);
  }
});

it("sys.receive with a limit gives undefined when its time is over, and a message when one comes", async () => {
  const agent = await drive(
    await inline(`${api}
      const log: unknown[] = [];
      for (;;) {
        const m = sys.receive(100);
        log.push(m?.text() ?? null);
        m?.reply(log);
      }`),
  );
  agent.nowMs += 100;
  agent.run.run(20);
  expect(agent.ask("a")).toBe('[null,"a"]');
});

it("sys.sleep and sys.delay wait for the host's clock", async () => {
  const agent = await drive(
    await inline(`${api}
      onSpawn(() => { sys.sleep(40); });
      for await (const m of inbox) { const at = sys.now(); await sys.delay(25); m.reply(sys.now() - at); }`),
  );
  expect(agent.run.state).toEqual({ kind: "waiting", untilMs: agent.nowMs + 40 });
  agent.nowMs += 40;
  expect(agent.ask("x")).toBeUndefined();
  agent.nowMs += 25;
  agent.run.run();
  expect(agent.replies.at(-1)).toEqual([1, "25"]);
});

it("agents spawned from one module draw different random numbers, and the same ones from the same seed", async () => {
  const module = await inline(`${api}
    Math.random();
    for await (const m of inbox) m.reply([Math.random(), crypto.randomUUID(), sys.randomBytes(4)[0]]);`);
  const program = await admitted(module);
  const [a, b, c] = [new Driven(program), new Driven(program), new Driven(program)];
  b.ports().random(new Uint8Array(5));
  for (const one of [a, b, c]) one.run.run();
  const [first, second, third] = [a, b, c].map((one) => JSON.parse(one.ask("x") ?? "") as unknown[]);
  expect(first?.[0]).toBeLessThan(1);
  expect(third).toEqual(first);
  expect(second?.[0]).not.toBe(first?.[0]);
  expect(second?.[1]).not.toBe(first?.[1]);
});

it("a second reply is refused, and so is a reply after the next message was taken", async () => {
  const agent = await drive(
    await inline(`${api}
      const first = await inbox.receive();
      first.reply("one");
      let codes = "";
      try { first.reply("two"); } catch (e) { codes += e.code + " " + e.hostCode; }
      const second = await inbox.receive();
      try { first.reply("late"); } catch (e) { codes += ", " + e.code; }
      second.reply(codes);`),
  );
  agent.ask("a");
  expect(agent.ask("b")).toBe("refused E_STATE, not-current");
  expect(agent.run.state).toEqual({ kind: "ended", status: 0 });
});

it("a message kept beyond the next one still has its bytes, also when they are no text", async () => {
  const agent = await drive(
    await inline(`${api}
      const kept = [await inbox.receive(), await inbox.receive(), await inbox.receive()];
      kept[1].text();
      (await inbox.receive()).reply(kept.map((m) => [...m.bytes()].join(" ")));`),
  );
  for (const bytes of [Buffer.from("hé"), Buffer.of(0xff, 0x41), Buffer.from("z")]) agent.run.send(bytes);
  expect(agent.ask("?")).toBe('["104 195 169","255 65","122"]');
});

it("a message far larger than the buffer arrives whole, and the buffer shrinks again", async () => {
  const agent = await drive(
    await inline(`${api} for await (const m of inbox) m.reply([m.size, m.text().length, m.text().at(-1)]);`),
    { limits: { messageBytes: 4 * 1024 * 1024 } },
  );
  expect(agent.ask(`${"x".repeat(3_000_000)}y`)).toBe('[3000001,3000001,"y"]');
  expect(agent.ask("z")).toBe('[1,1,"z"]');
});

it("console, TextEncoder, TextDecoder and queueMicrotask are there", async () => {
  const agent = await drive(
    await inline(`${api}
      for await (const m of inbox) {
        console.warn("got", { a: [1, "x", 2n], m: new Map([[1, new Set(["s"])]]) });
        const order: string[] = [];
        queueMicrotask(() => order.push("micro"));
        await null;
        m.reply([new TextDecoder().decode(new TextEncoder().encode("grün")), order]);
      }`),
  );
  expect(agent.ask("x")).toBe('["grün",["micro"]]');
  expect(agent.logs).toEqual(['3 got {a: [1, "x", 2n], m: Map {1 => Set {"s"}}}']);
});

it("outside a guest every call says where it belongs", async () => {
  const { sys, inbox } = await import("../src/index.ts");
  expect(() => sys.yield()).toThrow("works only inside a guest");
  expect(typeof inbox.receive).toBe("function");
});

it("an agent frozen while it handles a message answers it elsewhere, and waits no longer than it had to", async () => {
  const agent = await drive(
    await inline(`${api}
      for await (const m of inbox) { const at = sys.now(); await sys.delay(100); m.reply([m.text(), sys.now() - at]); }`),
  );
  agent.ask("a");
  agent.run.send(Buffer.from("b"));
  agent.nowMs += 60;
  const frozen = decodeFrozenAgent(encodeFrozenAgent(agent.run.freeze()));
  expect(frozen).toMatchObject({ handling: 1, restMs: 40, next: 3 });
  expect(() => agent.run.run()).toThrow("was frozen and lives elsewhere now");
  agent.run = resumeAgentRun(agent.program, frozen, agent.ports());
  expect(agent.run.run()).toEqual({ kind: "waiting", untilMs: agent.nowMs + 40 });
  agent.nowMs += 40;
  agent.run.run();
  expect(agent.replies).toEqual([[1, '["a",100]']]);
});

it("bytes that are no frozen agent, cut short, or changed are refused", async () => {
  const agent = await drive(await inline(`${api} await inbox.receive();`));
  agent.run.send(Buffer.from("waits"));
  const bytes = encodeFrozenAgent(new Driven(agent.program).run.freeze());
  expect(() => decodeFrozenAgent(new Uint8Array(10))).toThrow("not a frozen agent");
  for (const cut of [39, 41, 200, bytes.length - 1])
    expect(() => decodeFrozenAgent(bytes.subarray(0, cut))).toThrow(/damaged/);
  const changed = bytes.slice();
  changed[bytes.length - 100] = (changed[bytes.length - 100] as number) ^ 1;
  expect(() => decodeFrozenAgent(changed)).toThrow(/damaged/);
  const many = bytes.slice();
  many[33] = 0xff;
  expect(() => decodeFrozenAgent(many)).toThrow("its mailbox is cut short");
});

it("an agent frozen against the state of its module is small, comes back the same, and needs that state", async () => {
  const module = await inline(`${api}
    const seen: string[] = [];
    for await (const m of inbox) { seen.push(m.text()); m.reply(seen); }`);
  const agent = await drive(module);
  const golden = goldenState(agent.program);
  expect(golden.id).toBe(goldenState(await admitted(module)).id);
  for (const text of ["a", "b", "c"]) agent.ask(text);
  const frozen = agent.run.freeze();
  const bytes = encodeFrozenAgent(frozen, golden);
  expect(bytes.length).toBeLessThan(encodeFrozenAgent(frozen).length / 4);
  expect(() => decodeFrozenAgent(bytes)).toThrow("the base is not given");
  const other = goldenState(await admitted(await inline(`${api} await inbox.receive();`)));
  expect(() => decodeFrozenAgent(bytes, other)).toThrow(/does not fit/);
  agent.run = resumeAgentRun(
    agent.program,
    decodeFrozenAgent(bytes, goldenState(agent.program)),
    agent.ports(),
  );
  expect(agent.ask("d")).toBe('["a","b","c","d"]');
  expect(() => goldenState({ ...agent.program, instantiate: () => ended } as never)).toThrow(
    "ended before it first waited",
  );
});

it("an agent packed without a copy is the one that was frozen, and goes on in memory that another agent left", async () => {
  const module = await inline(`${api}
    const seen: string[] = [];
    for await (const m of inbox) { seen.push(m.text()); m.reply(seen); }`);
  const program = await admitted(module);
  const golden = goldenState(program);
  for (const base of [golden, undefined]) {
    const [one, same, other] = [new Driven(program), new Driven(program), new Driven(program)];
    for (const agent of [one, same]) expect(agent.ask("a")).toBe('["a"]');
    expect(other.ask("left behind")).toBe('["left behind"]');
    const bytes = one.run.pack(base);
    expect(bytes).toEqual(encodeFrozenAgent(same.run.freeze(), base));
    expect(() => one.run.pack(base)).toThrow("was frozen and lives elsewhere now");
    other.run.stop();
    one.run = unpackAgentRun(program, bytes, one.ports(), {}, golden);
    expect(one.ask("b")).toBe('["a","b"]');
    const changed = bytes.slice();
    changed[bytes.length - 50] = (changed[bytes.length - 50] as number) ^ 1;
    expect(() => unpackAgentRun(program, changed, one.ports(), {}, golden)).toThrow(/damaged/);
  }
});

const ended = { step: () => ({ kind: "finished", status: 0 }), dispose: () => undefined };
