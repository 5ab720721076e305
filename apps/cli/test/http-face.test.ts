/** HF1: an HTTP face that moves, over ports that the test is. */
import type { HostPort } from "@glia-os/abi/ports";
import { expect, it } from "vitest";
import { HttpFace } from "../src/up/http-face.ts";

/** Ports of a machine with every address: one port is open once. */
class Machine {
  readonly open = new Set<number>();
  readonly did: string[] = [];
  refuses = "";

  readonly face = new HttpFace(async (at: HostPort) => {
    if (this.open.has(at.port) || at.host === this.refuses) throw new RangeError(`no ${at.host}`);
    this.open.add(at.port);
    this.did.push(`open ${at.host}:${at.port}`);
    return {
      address: at,
      close: async () => {
        this.open.delete(at.port);
        this.did.push(`close ${at.host}:${at.port}`);
      },
    };
  });
}

it("HF1: it is open at the new address before the old one closes", async () => {
  const machine = new Machine();
  await machine.face.move({ host: "a", port: 1 });
  await machine.face.move({ host: "b", port: 2 });
  expect(machine.did).toEqual(["open a:1", "open b:2", "close a:1"]);
  await machine.face.move(undefined);
  expect([machine.face.address, machine.open.size]).toEqual([undefined, 0]);
});

it("HF1: another host with the same port is taken, and where it cannot be, the face is at the old one", async () => {
  const machine = new Machine();
  await machine.face.move({ host: "a", port: 1 });
  await machine.face.move({ host: "b", port: 1 });
  expect(machine.face.address).toEqual({ host: "b", port: 1 });
  machine.refuses = "c";
  for (const port of [1, 3]) {
    await expect(machine.face.move({ host: "c", port })).rejects.toThrow("no c");
    expect([machine.face.address, [...machine.open]]).toEqual([{ host: "b", port: 1 }, [1]]);
  }
});
