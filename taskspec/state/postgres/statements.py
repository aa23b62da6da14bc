"""The statements about one state in PostgreSQL, each atomic and under its condition. Executes none.

A commit is one statement, so that it is one transaction of one round trip: it moves the row of the state on where
lineage, lease, serial and head are those that the writer knows, and writes everything else beside the row that it has
moved, which is nothing where it has moved none. It may be repeated as it is: it can take effect once. Where another
session is just executing it, the row is locked until that one has ended, and the condition is looked at again then.

Lists of texts are sent in their binary form (`%(…)b`): the other one escapes every quote of every record, in Python.
"""

from typing import Final

LOOK: Final = """
SELECT number, id, lineage, format, serial, told, head, nonce, epoch, taken, held, holder, ttl,
  extract(epoch FROM clock_timestamp() - beat)::float8
FROM {version} LEFT JOIN {states} ON name = %(name)s AND environment = %(environment)s
"""

MAKE: Final = """
INSERT INTO {states} (name, environment, project, lineage, format, head)
VALUES (%(name)s, %(environment)s, %(project)s, %(lineage)s, %(format)s, %(head)s)
ON CONFLICT (name, environment) DO NOTHING
"""

_DURABLE: Final = """
CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
"""
"""For this transaction: what the server has said to have done is to outlive it, whatever is usual there."""

TAKE: Final = f"""
UPDATE {{states}} SET epoch = epoch + 1, held = true, holder = %(holder)s, taken = %(taken)s, ttl = %(ttl)s,
  beat = clock_timestamp(), project = %(project)s, format = %(now)s
WHERE id = %(state)s AND epoch = %(epoch)s AND format = %(format)s
  AND (NOT held OR beat + make_interval(secs => ttl) <= clock_timestamp())
RETURNING epoch, {_DURABLE}
"""

_MINE: Final = "id = %(state)s AND epoch = %(epoch)s AND taken = %(taken)s AND held"

RENEW: Final = f"UPDATE {{states}} SET beat = clock_timestamp() WHERE {_MINE} RETURNING id"
RELEASE: Final = f"UPDATE {{states}} SET held = false WHERE {_MINE} RETURNING id"

DISPLACE: Final = f"""
UPDATE {{states}} SET epoch = epoch + 1, held = false, holder = %(holder)s, taken = %(taken)s
WHERE id = %(state)s AND epoch = %(epoch)s
RETURNING id, {_DURABLE}
"""

ADVANCE: Final = f"""
UPDATE {{states}} SET lineage = %(new_lineage)s, serial = %(new_serial)s, head = %(new_head)s, nonce = %(nonce)s,
  told = told + %(entries)s, beat = clock_timestamp()
WHERE {_MINE} AND lineage = %(lineage)s AND serial = %(serial)s AND head = %(head)s
  AND %(number)s = (SELECT number FROM {{version}})
RETURNING id, told - %(entries)s AS told, {_DURABLE}
"""

_FILL: Final = """
, dropped AS (
  DELETE FROM {records} USING moved WHERE state = moved.id AND address = ANY(%(dropped)b::text[])
), put AS (
  INSERT INTO {records} (state, address, record)
  SELECT moved.id, one.address, one.record
  FROM moved, unnest(%(addresses)b::text[], %(records)b::text[]) AS one (address, record)
  ON CONFLICT (state, address) DO UPDATE SET record = excluded.record
), kept AS (
  INSERT INTO {results} (state, digest, size, content)
  SELECT moved.id, one.digest, one.size, one.content
  FROM moved, unnest(%(digests)b::text[], %(sizes)s::bigint[], %(contents)b::bytea[]) AS one (digest, size, content)
  ON CONFLICT (state, digest) DO UPDATE SET size = excluded.size, content = excluded.content
), removed AS (
  DELETE FROM {results} USING moved WHERE state = moved.id AND digest = ANY(%(removed)b::text[])
), noted AS (
  INSERT INTO {history} (state, id, serial, address, note, hash)
  SELECT moved.id, moved.told + one.nth, one.serial, one.address, one.note, one.hash
  FROM moved, unnest(%(serials)s::bigint[], %(about)b::text[], %(notes)b::text[], %(hashes)b::text[])
    WITH ORDINALITY AS one (serial, address, note, hash, nth)
)
SELECT id FROM moved
"""

COMMIT: Final = f"WITH moved AS ({ADVANCE}) {_FILL}"
FILL: Final = f"WITH moved AS (SELECT %(state)s::bigint AS id, %(told)s::bigint AS told) {_FILL}"
"""The same for a state whose row this transaction has moved on."""

CLEAR: Final = (
    "DELETE FROM {records} WHERE state = %(state)s",
    "DELETE FROM {history} WHERE state = %(state)s",
)
CLEAR_RESULTS: Final = "DELETE FROM {results} WHERE state = %(state)s"

IS_TOLD: Final = """
SELECT 1 FROM {history} WHERE state = %(state)s AND address = %(address)s AND serial = %(serial)s AND hash = %(hash)s
"""

NEXT_RECORDS: Final = """
SELECT address, record FROM {records} WHERE state = %(state)s AND address > %(last)s ORDER BY address LIMIT %(page)s
"""
SOME_RECORDS: Final = """
SELECT address, record FROM {records} WHERE state = %(state)s AND address = ANY(%(addresses)b::text[]) ORDER BY address
"""
PUT_RECORDS: Final = """
UPDATE {records} SET record = one.record
FROM unnest(%(addresses)b::text[], %(records)b::text[]) AS one (address, record)
WHERE state = %(state)s AND {records}.address = one.address
"""

NEXT_RESULTS: Final = """
SELECT digest, size FROM {results} WHERE state = %(state)s AND digest > %(last)s ORDER BY digest LIMIT %(page)s
"""
CONTENTS: Final = """
SELECT digest, content FROM {results} WHERE state = %(state)s AND digest = ANY(%(digests)b::text[]) ORDER BY digest
"""

NEXT_ENTRIES: Final = """
SELECT id, serial, address, note, hash FROM {history} WHERE state = %(state)s AND id < %(before)s
ORDER BY id DESC LIMIT %(page)s
"""
NEXT_ENTRIES_OF: Final = """
SELECT id, serial, address, note, hash FROM {history} WHERE state = %(state)s AND id < %(before)s
  AND address = %(address)s
ORDER BY id DESC LIMIT %(page)s
"""

NEWEST_ENTRY: Final = "SELECT hash FROM {history} WHERE state = %(state)s ORDER BY id DESC LIMIT 1"
CUT_RESULTS: Final = """
SELECT digest FROM {results} WHERE state = %(state)s AND octet_length(content) <> size ORDER BY digest LIMIT %(page)s
"""
