/** Prints the table of docs/config.md. Run with: node --conditions=@glia-os/source packages/daemon/scripts/print-config-table.ts */
import { configTable } from "../src/config/config-table.ts";

process.stdout.write(configTable());
