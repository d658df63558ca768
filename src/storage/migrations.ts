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
     kind   TEXT NOT NULL CHECK (kind IN ('user', 'client', 'holder', 'token')),
     value  TEXT NOT NULL,
     at     INTEGER NOT NULL,
     by     TEXT NOT NULL,
     reason TEXT NOT NULL,
     PRIMARY KEY (kind, value)
   ) STRICT, WITHOUT ROWID`,
]
