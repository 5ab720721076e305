/** What every `Sensors` must do on any machine. */
import assert from "node:assert/strict";
import type { Sensors } from "@glia-os/abi/ports";
import type { ContractCase } from "./contract-case.ts";

/** The contract of `Sensors`. */
export function sensorsContract(make: () => Sensors): readonly ContractCase[] {
  return [
    {
      title: "a battery reading is a share of 100 and a yes or no, or absent",
      run: async () => {
        const battery = await make().battery();
        if (battery === undefined) return;
        assert.ok(battery.percent >= 0 && battery.percent <= 100, `${battery.percent} %`);
        assert.equal(typeof battery.charging, "boolean");
      },
    },
    {
      title: "a temperature is one that silicon can have, or absent",
      run: async () => {
        const celsius = await make().temperatureCelsius();
        assert.ok(celsius === undefined || (celsius >= -40 && celsius <= 150), `${celsius} degrees`);
      },
    },
    {
      title: "the load is unknown on the first call and a share of 1 after",
      run: async () => {
        const sensors = make();
        assert.equal(await sensors.cpuLoad(), undefined);
        const load = await sensors.cpuLoad();
        assert.ok(load === undefined || (load >= 0 && load <= 1), `load ${load}`);
      },
    },
    {
      title: "available memory is a number of bytes",
      run: async () => {
        const bytes = await make().availableMemoryBytes();
        assert.ok(Number.isFinite(bytes) && bytes >= 0, `${bytes} bytes`);
      },
    },
  ];
}
