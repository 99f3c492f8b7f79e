/**
 * What the stack must know of the defaults in `config/sekisho.toml`, read from there: a default has one home.
 */
import { readFileSync } from "node:fs";

const FILE = new URL("../../config/sekisho.toml", import.meta.url);

/** Gives the default of a setting that holds a whole number. */
export function defaultNumber(group: string, name: string): number {
  const value = lines().get(`${group}.${name}`);
  const number = Number(value?.replaceAll("_", ""));
  if (value === undefined || !Number.isInteger(number)) {
    throw new Error(`config/sekisho.toml holds no whole number \`${group}.${name}\``);
  }
  return number;
}

/** Gives every setting of the file as `group.name` with the text of its default. */
export function lines(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let group = "";
  for (const line of readFileSync(FILE, "utf8").split("\n")) {
    const header = /^\[(\w+)\]$/.exec(line);
    const entry = /^(\w+) = (.+)$/.exec(line);
    if (header?.[1] !== undefined) {
      group = header[1];
    } else if (entry?.[1] !== undefined && entry[2] !== undefined) {
      found.set(`${group}.${entry[1]}`, entry[2]);
    }
  }
  return found;
}
