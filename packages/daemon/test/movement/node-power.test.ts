/** The power mode that sensors give a node, and what it makes of its gossip. */
import { createMemoryMeter } from "@glia-os/host";
import type { PowerState } from "@glia-os/rt";
import { expect, test } from "vitest";
import { NodePower } from "../../src/movement/node-power.ts";

const ON_MAINS = { percent: 15, charging: true };
const ON_BATTERY = { percent: 80, charging: false };

function power(maySlow: boolean) {
  const paces: number[] = [];
  const meter = createMemoryMeter();
  const node = new NodePower({ mesh: { setPace: (times) => void paces.push(times) }, meter, maySlow });
  const look = (battery: typeof ON_BATTERY | undefined, ...standing: "battery-low"[]): string => {
    node.look({ readings: battery ? { battery } : {}, standing: new Set(standing) } as unknown as PowerState);
    return node.mode;
  };
  const told = (): number | undefined =>
    meter.snapshot().find(({ name }) => name === "glia_gossip_pace")?.series[0]?.value;
  return { look, paces, told };
}

test("NP1, NP2: on its battery a node gossips half as often, with a low one a fifth, and told only of changes", () => {
  const { look, paces, told } = power(true);
  expect([look(undefined), look(ON_MAINS), told()]).toEqual(["normal", "normal", 1]);
  expect([look(ON_BATTERY), look(ON_BATTERY), told()]).toEqual(["low-power", "low-power", 2]);
  expect([look(ON_BATTERY, "battery-low"), told()]).toEqual(["ultra-low-power", 5]);
  expect([look(ON_MAINS), told()]).toEqual(["normal", 1]);
  expect(paces).toEqual([2, 5, 1]);
});

test("NP2: in the profile fast the mode is told and the pace stays", () => {
  const { look, paces, told } = power(false);
  expect(look(ON_BATTERY, "battery-low")).toBe("ultra-low-power");
  expect([paces, told()]).toEqual([[1], 1]);
});
