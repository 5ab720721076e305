/** A small program for simulated machines: it counts what it hears, speaks every 100 ms, and logs what happens to it. */
import type { Machine, MachineProcess } from "@glia-os/sim";

export interface ChatterProcess extends MachineProcess<Uint8Array> {
  readonly machine: Machine<Uint8Array>;
  readonly log: string[];
  heard: number;
}

export interface ChatterOptions {
  readonly everyMs?: number;
  readonly trafficClass?: "datagram" | "request" | "bulk";
  readonly onLog?: (line: string) => void;
}

/** Boots chatters that speak to the next machine. */
export function chatter(options: ChatterOptions = {}): (machine: Machine<Uint8Array>) => ChatterProcess {
  const { everyMs = 100, trafficClass = "datagram" } = options;
  return (machine) => {
    let said = 0;
    const log: string[] = [];
    const note = (line: string): void => {
      log.push(line);
      options.onLog?.(`${machine.index}.${machine.generation} ${line}`);
    };
    const process: ChatterProcess = {
      machine,
      log,
      heard: 0,
      receive: (from, _class, message) => {
        process.heard++;
        note(`${from}:${message[0]}`);
      },
      reset: (peer) => note(`reset ${peer}`),
      act: (name) => note(`act ${name}`),
    };
    const speak = (): void => {
      note("tick");
      machine.send((machine.index + 1) % machine.machines, trafficClass, Uint8Array.of(said++ & 255));
      machine.timers.schedule(everyMs, speak);
    };
    machine.timers.schedule(everyMs, speak);
    return process;
  };
}
