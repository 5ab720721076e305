import { defineConfig } from "tsup";
import { library } from "../../tsup.base.ts";

export default defineConfig(
  library({
    index: "src/index.ts",
    clock: "src/clock.ts",
    detect: "src/detect.ts",
    digests: "src/digests.ts",
    random: "src/random.ts",
    sensors: "src/sensors.ts",
    testing: "src/testing/index.ts",
    "wasm-features": "src/wasm-features.ts",
  }),
);
