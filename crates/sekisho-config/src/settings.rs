//! Every setting, its default and its description: the one place.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::bucket_role::BucketRole;
use crate::value::{Auth, Cidr, EventOriginal, Rotation, Secret};

const MIB: usize = 1024 * 1024;
const GIB: u64 = 1024 * 1024 * 1024;

settings! {
    /// Index names and the day that a document belongs to.
    index: IndexSettings {
        /// Put before every index name, so that two installations can share a cluster; empty for none.
        prefix: String = String::new();
        /// The IANA zone whose midnight cuts the days of the index names.
        timezone: Tz = Tz::UTC;
        /// How many days a record may be older than its object's date and still choose its own day.
        days_before: u16 = 30;
        /// How many days a record may be newer than its object's date and still choose its own day.
        days_after: u16 = 2;
        /// How often a source starts a new index: `daily` (the default) or `monthly`, by dataset, like `{ "aws.waf" = "monthly" }`.
        rotation: BTreeMap<String, Rotation> = BTreeMap::new();
    }

    /// How `sekisho apply` makes the templates of new indices; an index that exists keeps what it was made with.
    template: TemplateSettings {
        /// Primary shards of an index: one holds up to about 50 GB.
        shards: u16 = 1;
        /// Primary shards of single sources, by dataset, like `{ "aws.vpcflow" = 3 }`.
        shards_of: BTreeMap<String, u16> = BTreeMap::new();
        /// Copies of each shard: a number like `1`, or a range like `0-1`, of which the cluster takes what its nodes can hold.
        replicas: String = "0-1".to_owned();
        /// Copies for single sources, by dataset, like `{ "aws.vpcflow" = "0" }`.
        replicas_of: BTreeMap<String, String> = BTreeMap::new();
        /// How long a new document may stay invisible to searches, in OpenSearch's notation, like `30s`.
        refresh_interval: String = "30s".to_owned();
    }

    /// The lifecycle policies (ISM) that `sekisho apply` puts. Days count from the last day that an index covers, so each record is kept at least so long; 0: never.
    lifecycle: LifecycleSettings {
        /// Puts them. Without it nothing is made read-only or deleted by Sekisho.
        enabled: bool = true;
        /// When an index is retired: made read-only, and what comes later is written beside it. At least 21, so that no delivery finds it closed.
        read_only_days: u16 = 30;
        /// Read-only days of single sources, by dataset (`aws.waf`) or module (`aws`).
        read_only_days_of: BTreeMap<String, u16> = BTreeMap::new();
        /// When an index moves to UltraWarm, which the Amazon domain must have; 90 keeps three months fast.
        warm_days: u16 = 0;
        /// Warm days of single sources, by dataset or module.
        warm_days_of: BTreeMap<String, u16> = BTreeMap::new();
        /// When an index moves from UltraWarm to cold storage, where it must be attached before a search.
        cold_days: u16 = 0;
        /// Cold days of single sources, by dataset or module.
        cold_days_of: BTreeMap<String, u16> = BTreeMap::new();
        /// When an index is deleted. A year is what PCI DSS 10.5.1 asks for.
        delete_days: u16 = 365;
        /// Delete days of single sources, by dataset or module.
        delete_days_of: BTreeMap<String, u16> = BTreeMap::new();
        /// When an index of the ledger is deleted; it is never read-only.
        ledger_delete_days: u16 = 365;
    }

    /// Who may do what in a cluster with fine-grained access control. An entry is the ARN of an IAM role or user, another backend role (like a SAML group), or `user:NAME`; an empty list leaves the mapping of its role as it is.
    access: AccessSettings {
        /// Puts the five roles of Sekisho and maps these to them.
        enabled: bool = true;
        /// Who ingests: the role of the ingest function.
        ingest_roles: Vec<String> = Vec::new();
        /// Who replays: the role of the replay function.
        replay_roles: Vec<String> = Vec::new();
        /// Who runs `sekisho reload`.
        reload_roles: Vec<String> = Vec::new();
        /// Who runs `sekisho apply`; the roles themselves can only be put by the domain's master user.
        apply_roles: Vec<String> = Vec::new();
        /// Who searches the logs.
        reader_roles: Vec<String> = Vec::new();
        /// What readers see, by dataset (`aws.waf`) or module (`aws`); empty for all logs.
        reader_sources: Vec<String> = Vec::new();
        /// Lets readers see the records that did not parse. They are kept as they came, so fields that a parser would leave out are in them.
        reader_raw: bool = true;
    }

    /// The cluster that documents are written to.
    opensearch: OpenSearchSettings {
        /// The cluster's address, like `https://search.example.com`.
        url: String = String::new();
        /// How requests are signed: `none`, `basic` (username and password) or `sigv4` (the AWS credentials of the process).
        auth: Auth = Auth::None;
        /// The user of `basic`.
        username: String = String::new();
        /// The password of `basic`; give it as `SEKISHO_OPENSEARCH_PASSWORD` rather than in a file.
        password: Secret = Secret::default();
        /// The AWS region of the domain for `sigv4`; empty for the region of the process.
        region: String = String::new();
        /// Sends request bodies compressed.
        gzip: bool = true;
        /// How long one request may take, in milliseconds.
        timeout_ms: u64 = 30_000;
        /// A PEM file with the authority that signed the cluster's certificate; empty for the system's authorities.
        ca_file: String = String::new();
        /// Accepts any certificate. For a test cluster only.
        insecure: bool = false;
        /// Refuses to write until the cluster holds the index templates of this version (`sekisho apply`).
        check_templates: bool = true;
    }

    /// How documents are written.
    bulk: BulkSettings {
        /// The largest body of one `_bulk` request in bytes, before compression.
        max_bulk_bytes: usize = 5 * MIB;
        /// How many `_bulk` requests may be under way at once.
        in_flight: usize = 4;
        /// How long rejected items of one request are retried, in milliseconds, before their objects fail.
        retry_budget_ms: u64 = 60_000;
    }

    /// Where objects are read.
    s3: S3Settings {
        /// Another address than AWS's, for a stand-in like MinIO; empty for AWS.
        endpoint_url: String = String::new();
        /// Puts the bucket into the path instead of the host name; stand-ins need it.
        force_path_style: bool = false;
        /// The buckets whose logs are read; the quarantine bucket must not be one of them.
        input_buckets: Vec<String> = Vec::new();
        /// The buckets of other accounts that are read through a role of theirs: by bucket the role's ARN and, behind a blank, its external id, like `{ "their-logs" = "arn:aws:iam::111122223333:role/logs EXTERNAL-ID" }`.
        roles: BTreeMap<String, BucketRole> = BTreeMap::new();
    }

    /// The queues between the bucket and the function.
    queue: QueueSettings {
        /// The URL of the queue that feeds ingest: continuations go there, finished messages are deleted from it, and replay sends back to it. Empty: an object that needs a continuation fails.
        url: String = String::new();
        /// The URL of its dead-letter queue, for replay.
        dead_letter_url: String = String::new();
        /// After how many receives a message is dead-lettered (`maxReceiveCount` of the queue).
        max_receive_count: u32 = 10;
        /// How long the queues keep a message, in days (`MessageRetentionPeriod` of both).
        retention_days: u16 = 14;
    }

    /// How the work of one invocation is cut.
    delivery: DeliverySettings {
        /// How much of an invocation's time is kept for its end, in milliseconds: what is not read by then goes into a continuation.
        reserve_ms: u64 = 20_000;
        /// Plain lines larger than this many bytes are read in parts of this size, by as many invocations.
        split_bytes: u64 = 256 * 1024 * 1024;
        /// How long messages are put off at first, in milliseconds, when the cluster takes nothing; twice as long each time.
        brake_ms: u64 = 30_000;
        /// The longest time that messages are put off, in milliseconds.
        brake_longest_ms: u64 = 900_000;
    }

    /// The ledger: how the records of each object ended, in `sekisho-ledger-YYYY.MM.DD`.
    ledger: LedgerSettings {
        /// Writes it. Without it a redelivery reads its object again, and `sekisho audit` has nothing to say.
        enabled: bool = true;
    }

    /// How dead-lettered messages are sent back.
    replay: ReplaySettings {
        /// How many messages a second.
        rate: u32 = 50;
        /// How often a message is sent back that failed for a fault of its own, before it is parked.
        max_replays: u32 = 3;
        /// How many days before SQS would forget a message it is parked while the cluster takes nothing.
        park_days: u16 = 3;
        /// Sends nothing back while a data node has less free storage than this, in percent.
        free_storage_percent: u8 = 25;
    }

    /// What an object may cost. Over a limit, that record or object is refused with this reason and nothing else is lost.
    limits: LimitSettings {
        /// The longest record in bytes; a longer one is quarantined.
        max_record_bytes: usize = 8 * MIB;
        /// The deepest nesting of one JSON record; a deeper one is quarantined.
        max_depth: usize = 100;
        /// The largest object in bytes as stored.
        max_compressed_bytes: u64 = 50 * GIB;
        /// The largest object in bytes after decompression.
        max_decompressed_bytes: u64 = 100 * GIB;
        /// How many times its stored size an object may grow by decompression.
        max_ratio: u64 = 500;
        /// How many entries an archive may have.
        archive_entries: u64 = 1_000;
        /// How many lines of an object that no parser claims are indexed; the rest is one quarantined entry.
        unknown_lines: u64 = 10_000;
        /// How many bytes of documents may wait in memory, over all objects of an invocation.
        buffered_bytes: usize = 48 * MIB;
        /// How many objects are read at once.
        objects_in_flight: usize = 8;
    }

    /// How records are read where the objects do not say it themselves.
    record: RecordSettings {
        /// The columns of delimited objects without a header line, and the last ones of web servers' lines that no standard names, by dataset, like `{ "aws.vpcflow" = "version account-id interface-id srcaddr dstaddr" }`.
        default_columns: BTreeMap<String, String> = BTreeMap::new();
        /// The zone of times that carry none, by dataset, like `{ "linux.syslog" = "Asia/Tokyo" }`; without an entry the parser's own, mostly UTC.
        timezone: BTreeMap<String, Tz> = BTreeMap::new();
    }

    /// What a document holds.
    document: DocumentSettings {
        /// When `event.original` keeps the record's text: `always`, `never` or `unparsed` (only when the record did not parse).
        event_original: EventOriginal = EventOriginal::Unparsed;
        /// The networks (CIDR) whose forwarded-for headers are believed.
        trusted_proxies: Vec<Cidr> = Cidr::private();
    }

    /// What is replaced by `[redacted]` before anything leaves the process, by its name; upper and lower case, `-` and `_` make no difference.
    redact: RedactSettings {
        /// Names of fields, columns and headers whose values are secrets too, like `x-session`, beside the built-in ones (cookies, authorization, keys, tokens, passwords).
        fields: Vec<String> = Vec::new();
        /// Names whose values are secrets as `key=value` of a query or form only, like `code`, beside `token`, `secret` and `signature`.
        query_keys: Vec<String> = Vec::new();
        /// Built-in names that stay readable, like `set-cookie`.
        keep: Vec<String> = Vec::new();
    }

    /// Where records go that cannot be indexed even raw.
    quarantine: QuarantineSettings {
        /// The bucket; never one that is read. Empty: an object with such a record fails.
        bucket: String = String::new();
        /// Put before every key.
        prefix: String = "quarantine/".to_owned();
    }

    /// The parsers that operators publish (`sekisho parser publish`), beside the built-in ones.
    bundles: BundleSettings {
        /// The config bucket that holds them, below `parsers/`; never one that is read. Empty: the built-in parsers alone.
        bucket: String = String::new();
        /// How often at most the bucket is asked whether others are published, in milliseconds.
        refresh_ms: u64 = 60_000;
    }

    /// What the functions report of themselves: CloudWatch metrics, in their logs.
    metrics: MetricsSettings {
        /// Whether they do.
        enabled: bool = true;
        /// How many sources have metrics of their own; the others are counted together.
        max_sources: usize = 20;
        /// The datasets that have them first, before the built-in ones in their order: whatever an alarm watches belongs here.
        sources: Vec<String> = Vec::new();
    }

    /// Objects that are no logs.
    ignore: IgnoreSettings {
        /// Key patterns (`*` inside one path segment, `**` across them) of objects that are acknowledged, counted and not read.
        keys: Vec<String> = Vec::new();
    }
}
