/**
 * The settings of the functions: the names and types of `config/sekisho.toml`, and how the environment carries them.
 *
 * A test compares this list with that file, so neither can change alone.
 * The defaults stay there: only what differs is put into an environment.
 */

/** What a setting holds. */
type Kind = "text" | "number" | "boolean" | "list" | "map";

/** Every setting by group and name, as `config/sekisho.toml` spells them. */
export const SETTINGS = {
  index: { prefix: "text", timezone: "text", days_before: "number", days_after: "number", rotation: "map" },
  template: { shards: "number", shards_of: "map", replicas: "text", replicas_of: "map", refresh_interval: "text" },
  lifecycle: {
    enabled: "boolean",
    read_only_days: "number",
    read_only_days_of: "map",
    warm_days: "number",
    warm_days_of: "map",
    cold_days: "number",
    cold_days_of: "map",
    delete_days: "number",
    delete_days_of: "map",
    ledger_delete_days: "number",
  },
  access: {
    enabled: "boolean",
    ingest_roles: "list",
    replay_roles: "list",
    reload_roles: "list",
    apply_roles: "list",
    reader_roles: "list",
    reader_sources: "list",
    reader_raw: "boolean",
  },
  opensearch: {
    url: "text",
    auth: "text",
    username: "text",
    password: "text",
    region: "text",
    gzip: "boolean",
    timeout_ms: "number",
    ca_file: "text",
    insecure: "boolean",
    check_templates: "boolean",
  },
  bulk: { max_bulk_bytes: "number", in_flight: "number", retry_budget_ms: "number" },
  s3: { endpoint_url: "text", force_path_style: "boolean", input_buckets: "list", roles: "map" },
  queue: { url: "text", dead_letter_url: "text", max_receive_count: "number", retention_days: "number" },
  delivery: { reserve_ms: "number", split_bytes: "number", brake_ms: "number", brake_longest_ms: "number" },
  ledger: { enabled: "boolean" },
  replay: { rate: "number", max_replays: "number", park_days: "number", free_storage_percent: "number" },
  limits: {
    max_record_bytes: "number",
    max_depth: "number",
    max_compressed_bytes: "number",
    max_decompressed_bytes: "number",
    max_ratio: "number",
    archive_entries: "number",
    unknown_lines: "number",
    buffered_bytes: "number",
    objects_in_flight: "number",
  },
  record: { default_columns: "map", timezone: "map" },
  document: { event_original: "text", trusted_proxies: "list" },
  redact: { fields: "list", query_keys: "list", keep: "list" },
  quarantine: { bucket: "text", prefix: "text" },
  bundles: { bucket: "text", refresh_ms: "number" },
  metrics: { enabled: "boolean", max_sources: "number", sources: "list" },
  ignore: { keys: "list" },
} as const satisfies Record<string, Record<string, Kind>>;

type ValueOf<K> = K extends "text"
  ? string
  : K extends "number"
    ? number
    : K extends "boolean"
      ? boolean
      : K extends "list"
        ? readonly string[]
        : Readonly<Record<string, string | number>>;

/** Settings that differ from their defaults; the names are those of `config/sekisho.toml`. */
export type Settings = {
  readonly [G in keyof typeof SETTINGS]?: {
    readonly [N in keyof (typeof SETTINGS)[G]]?: ValueOf<(typeof SETTINGS)[G][N]>;
  };
};

type AnyValue = string | number | boolean | readonly string[] | Readonly<Record<string, string | number>>;
type AnySettings = Readonly<Record<string, Readonly<Record<string, AnyValue | undefined>> | undefined>>;

/** Gives the environment variables of some settings: `index.prefix` is `SEKISHO_INDEX_PREFIX`. */
export function environment(settings: Settings): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [group, values] of Object.entries(settings as AnySettings)) {
    for (const [name, value] of Object.entries(values ?? {})) {
      if (value !== undefined) {
        check(group, name);
        variables[`SEKISHO_${group}_${name}`.toUpperCase()] = text(`${group}.${name}`, value);
      }
    }
  }
  return variables;
}

/** Joins settings group by group; the later ones win. */
export function merge(...parts: readonly Settings[]): Settings {
  const merged: Record<string, Record<string, AnyValue | undefined>> = {};
  for (const part of parts) {
    for (const [group, values] of Object.entries(part as AnySettings)) {
      merged[group] = { ...merged[group], ...values };
    }
  }
  return merged as Settings;
}

/** Types vanish at run time; a deployment file written without them is checked here. */
function check(group: string, name: string): void {
  const names: Record<string, Kind> | undefined = (SETTINGS as Record<string, Record<string, Kind>>)[group];
  if (names?.[name] === undefined) {
    throw new Error(`no setting is called \`${group}.${name}\`; config/sekisho.toml lists them all`);
  }
}

/** The notation that the functions read: lists with commas, maps as `name=value`. */
function text(name: string, value: AnyValue): string {
  if (Array.isArray(value)) {
    return value.map((item: string) => part(name, item)).join(",");
  }
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([key, item]) => part(name, `${key}=${item}`))
      .join(",");
  }
  return String(value);
}

function part(name: string, item: string): string {
  if (item.includes(",")) {
    throw new Error(`\`${item}\` of \`${name}\` holds a comma, which separates the parts of a list in an environment variable`);
  }
  return item;
}
