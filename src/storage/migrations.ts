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
]
