/**
 * What admission asks of a module's tables.
 *
 * TS1. All tables together are bounded, also after they have grown.
 * TS2. Every table that code changes is exported, and `glia.functions` holds every function that a table can come to hold, once;
 *      no code changes that table. So what tables hold can be written and put back (engine/tables.ts).
 */
import type { ScannedCode } from "./binary/code-scan.ts";
import { elementSegments } from "./binary/element-segments.ts";
import { functionReferences, tabledFunctions } from "./binary/function-references.ts";
import { KIND, type ModuleOutline } from "./binary/outline.ts";
import { NotInstrumentedError, UnboundedModuleError } from "./errors.ts";
import { FUNCTIONS_EXPORT, MOST_TABLE_ELEMENTS, TABLE_EXPORT } from "./layout.ts";

/** A table that code changes. */
export interface ChangedTable {
  readonly exportName: string;
  readonly minimum: number;
  readonly maximum: number;
}

const FUNCREF = 0x70;

/** Check that all tables are bounded (TS1). @throws UnboundedModuleError */
export function checkTables(outline: ModuleOutline): void {
  const { tables, imports } = outline;
  if (imports.some(({ kind }) => kind === KIND.table))
    throw new UnboundedModuleError("the module imports a table");
  const functions = exportedTable(outline, FUNCTIONS_EXPORT);
  const own = tables.filter((_, index) => index !== functions);
  if (own.some(({ maximum }) => maximum === undefined))
    throw new UnboundedModuleError("a table of the module can grow without a bound");
  const elements = own.reduce((sum, { maximum = 0 }) => sum + maximum, 0);
  if (elements > MOST_TABLE_ELEMENTS)
    throw new UnboundedModuleError(
      `the tables can hold ${elements} elements; the most is ${MOST_TABLE_ELEMENTS}`,
    );
}

/** The tables whose content is state (TS2). @throws NotInstrumentedError */
export function changedTables(bytes: Uint8Array, outline: ModuleOutline, code: ScannedCode): ChangedTable[] {
  const functions = exportedTable(outline, FUNCTIONS_EXPORT);
  if (functions !== undefined) checkFunctions(bytes, outline, functions, code);
  else if (code.changed.length > 0)
    throw new NotInstrumentedError(`the module changes a table and does not export ${FUNCTIONS_EXPORT}`);
  return code.changed.map((index) => {
    const exportName = `${TABLE_EXPORT}${index}`;
    if (exportedTable(outline, exportName) !== index)
      throw new NotInstrumentedError(`the module does not export the table ${index}, which it changes`);
    const { minimum, maximum = minimum } = outline.tables[index] ?? { minimum: 0 };
    return { exportName, minimum, maximum };
  });
}

function exportedTable({ exports }: ModuleOutline, wanted: string): number | undefined {
  return exports.find(({ name, kind }) => name === wanted && kind === KIND.table)?.index;
}

function checkFunctions(bytes: Uint8Array, outline: ModuleOutline, table: number, code: ScannedCode): void {
  const wanted = tabledFunctions(functionReferences(bytes, outline), code.referred);
  const segments = elementSegments(bytes, outline).filter((one) => one.table === table);
  const [segment] = segments;
  const same =
    segments.length === 1 &&
    segment?.offset === 0 &&
    segment.functions.length === wanted.length &&
    wanted.every((index, at) => segment.functions[at] === index);
  const { element, minimum, maximum } = outline.tables[table] ?? { element: 0, minimum: -1, maximum: -1 };
  const fixed = element === FUNCREF && minimum === wanted.length && maximum === minimum;
  if (!same || !fixed || code.changed.includes(table))
    throw new NotInstrumentedError(
      `the table ${FUNCTIONS_EXPORT} of the module is not the list of functions its tables can hold`,
    );
}
