/** A field as text: per node its battery over time, and under it a line where the agent lived. */
import type { FieldResult, Track } from "./field.ts";

const BARS = "▁▂▃▄▅▆▇█";
const NAME_WIDTH = 8;

/** The plot, at most `columns` characters wide (20 or more). */
export function plot({ tracks }: FieldResult, columns: number): string {
  const width = Math.max(20, columns) - NAME_WIDTH;
  const minutes = tracks[0]?.percent.length ?? 0;
  const step = Math.max(1, Math.ceil(minutes / width));
  const rows = tracks.flatMap((track) => rowsOf(track, step));
  const last = Math.max(0, Math.ceil(minutes / step) - 1);
  const end = `${minutes} min`;
  const axis = `0${" ".repeat(Math.max(1, last - end.length))}${end}`;
  return [...rows, " ".repeat(NAME_WIDTH) + axis].join("\n");
}

function rowsOf({ name, percent, hosts }: Track, step: number): string[] {
  const at = Array.from({ length: Math.ceil(percent.length / step) }, (_, i) => i * step);
  const bars = at.map((i) => bar(percent[i])).join("");
  const homes = at.map((i) => (hosts[i] === true ? "━" : " ")).join("");
  const label = (text: string): string => text.padEnd(NAME_WIDTH).slice(0, NAME_WIDTH);
  return [label(name) + bars, label("") + homes].map((row) => row.trimEnd());
}

function bar(percent: number | undefined): string {
  if (percent === undefined) return "·";
  return BARS[Math.min(BARS.length - 1, Math.floor((percent / 100) * BARS.length))] as string;
}
