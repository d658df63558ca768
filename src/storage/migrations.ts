/** The shape of the store, step by step. A step that has been released is never changed; the next one is added below it. */
export const migrations: readonly string[] = [
  `CREATE TABLE servers_disabled (
     id     TEXT PRIMARY KEY,
     at     INTEGER NOT NULL,
     by     TEXT NOT NULL,
     reason TEXT NOT NULL
   ) STRICT;
   CREATE TABLE switchings_unrecorded (
     seq    INTEGER PRIMARY KEY AUTOINCREMENT,
     id     TEXT NOT NULL,
     to_    TEXT NOT NULL CHECK (to_ IN ('disabled', 'enabled')),
     at     INTEGER NOT NULL,
     by     TEXT NOT NULL,
     reason TEXT NOT NULL
   ) STRICT`,
  `CREATE TABLE acts_unrecorded (
     seq    INTEGER PRIMARY KEY AUTOINCREMENT,
     action TEXT NOT NULL,
     at     INTEGER NOT NULL,
     by     TEXT NOT NULL,
     server TEXT,
     detail TEXT NOT NULL
   ) STRICT;
   INSERT INTO acts_unrecorded (action, at, by, server, detail)
     SELECT 'server.' || to_, at, by, id, reason FROM switchings_unrecorded ORDER BY seq;
   DROP TABLE switchings_unrecorded`,
  `CREATE TABLE identity_records (
     kind       TEXT NOT NULL,
     name       TEXT NOT NULL,
     group_     TEXT,
     sealed     TEXT NOT NULL,
     expires_at INTEGER NOT NULL,
     PRIMARY KEY (kind, name)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX identity_records_group ON identity_records (group_) WHERE group_ IS NOT NULL;
   CREATE INDEX identity_records_expiry ON identity_records (expires_at);
   CREATE TABLE revocations (
     kind   TEXT NOT NULL CHECK (kind IN ('user', 'client', 'holder', 'token', 'sessions')),
     value  TEXT NOT NULL,
     at     INTEGER NOT NULL,
     by     TEXT NOT NULL,
     reason TEXT NOT NULL,
     PRIMARY KEY (kind, value)
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE vault_keys (
     seq        INTEGER PRIMARY KEY AUTOINCREMENT,
     id         TEXT NOT NULL UNIQUE,
     made       INTEGER NOT NULL,
     parameters TEXT NOT NULL,
     names      BLOB NOT NULL
   ) STRICT;
   CREATE TABLE vault_records (
     name    BLOB PRIMARY KEY,
     owner   BLOB NOT NULL,
     server  TEXT NOT NULL,
     kind    TEXT NOT NULL,
     label   BLOB NOT NULL,
     version INTEGER NOT NULL,
     at      INTEGER NOT NULL,
     key     TEXT NOT NULL REFERENCES vault_keys (id),
     wrapped BLOB NOT NULL,
     sealed  BLOB NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX vault_records_of_owner ON vault_records (owner);
   CREATE INDEX vault_records_of_key ON vault_records (key)`,
  `CREATE TABLE pins (
     server   TEXT NOT NULL,
     kind     TEXT NOT NULL,
     name     TEXT NOT NULL,
     digest   TEXT NOT NULL,
     text     TEXT NOT NULL,
     standing TEXT NOT NULL CHECK (standing IN ('approved', 'held', 'proposed', 'rejected', 'revoked')),
     by       TEXT NOT NULL,
     at       INTEGER NOT NULL,
     reason   TEXT NOT NULL,
     seen_at  INTEGER NOT NULL,
     seal     TEXT NOT NULL,
     PRIMARY KEY (server, kind, name, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE pin_decisions (
     seq      INTEGER PRIMARY KEY AUTOINCREMENT,
     server   TEXT NOT NULL,
     kind     TEXT NOT NULL,
     name     TEXT NOT NULL,
     digest   TEXT NOT NULL,
     standing TEXT NOT NULL,
     by       TEXT NOT NULL,
     at       INTEGER NOT NULL,
     reason   TEXT NOT NULL
   ) STRICT;
   CREATE INDEX pin_decisions_of_server ON pin_decisions (server, name);
   CREATE TABLE pinned_servers (
     server   TEXT PRIMARY KEY,
     identity TEXT NOT NULL,
     seal     TEXT NOT NULL,
     stranger TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE pinned_lists (
     server TEXT NOT NULL,
     kind   TEXT NOT NULL,
     seal   TEXT NOT NULL,
     PRIMARY KEY (server, kind)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE pinned_servers_proposed (
     server   TEXT PRIMARY KEY,
     identity TEXT NOT NULL,
     by       TEXT NOT NULL,
     seal     TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE pins_revision (revision INTEGER NOT NULL, seal TEXT NOT NULL) STRICT;
   INSERT INTO pins_revision VALUES (0, '')`,
]
