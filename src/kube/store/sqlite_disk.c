/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_disk.c: the store's disk as one SQLite file.
 *
 * A commit is one transaction, with one fsync of the write-ahead log.  Opened and loaded by the store's owner, used by
 * the store's thread, closed by the owner when that has ended: one thread at a time, so SQLite needs no locks.
 * size_bytes() looks at the files only and may be called at any time. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "kube/store/disk.h"

enum { SCHEMA = 1, BUSY_TIMEOUT_MS = 5000, ERROR_SIZE = 300 };

static const char create_sql[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE objects(kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,"
    " text TEXT NOT NULL, PRIMARY KEY(kind, namespace, name)) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('schema', 1), ('version', 0);"
    "COMMIT";

enum statement { BEGIN, COMMIT, ROLLBACK, PUT, REMOVE, SET_VERSION, STATEMENT_COUNT };

static const char *const statement_sql[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT] = "INSERT OR REPLACE INTO objects(kind, namespace, name, version, text) VALUES(?1, ?2, ?3, ?4, ?5)",
    [REMOVE] = "DELETE FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3",
    [SET_VERSION] = "UPDATE meta SET value = ?1 WHERE key = 'version'",
};

struct sqlite_disk {
    struct store_disk disk;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct log_limit limit;
    char *path;
    char *wal_path;
};

static struct sqlite_disk *disk_of(struct store_disk *disk)
{
    return container_of(disk, struct sqlite_disk, disk);
}

/* What the kernel said last about the write-ahead log, or else about the file; 0 when it said nothing. */
static int last_errno(sqlite3 *db)
{
    sqlite3_file *wal = NULL;
    int wal_errno = 0, file_errno = 0;
    if (db == NULL)
        return 0;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal != NULL &&
        wal->pMethods != NULL)
        (void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &wal_errno);
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &file_errno);
    return wal_errno != 0 ? wal_errno : file_errno;
}

/* SQLite knows ENOSPC only; quotas, file size limits and the log's index are other ways for a disk to be full. */
static bool is_out_of_space(sqlite3 *db, int code)
{
    if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE)
        return true;
    int error = (code & 0xff) == SQLITE_IOERR ? last_errno(db) : 0;
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* What failed with this code, and what the operator can do. */
static int explain(const struct sqlite_disk *disk, int code, char error[ERROR_SIZE])
{
    const char *reason = sqlite3_errstr(code);
    if (is_out_of_space(disk->db, code)) {
        snprintf(error, ERROR_SIZE, "%s: the disk is full: make room and start again", disk->path);
        return -ENOSPC;
    }
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        snprintf(error, ERROR_SIZE,
                 "%s is damaged (%s): put back a copy of it, or move it and its -wal file away to start empty",
                 disk->path, reason);
        break;
    case SQLITE_BUSY:
        snprintf(error, ERROR_SIZE, "%s is in use by another program: end that one first", disk->path);
        break;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
        snprintf(error, ERROR_SIZE, "%s must be readable and writable, as well as its folder: %s", disk->path, reason);
        break;
    default:
        snprintf(error, ERROR_SIZE, "%s cannot be used: %s", disk->path, sqlite3_errmsg(disk->db));
    }
    return -EIO;
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
}

/* The integer that the query finds; SQLITE_NOTFOUND when it finds none, or no integer. */
static int query_integer(sqlite3 *db, const char *sql, int64_t *ret_value)
{
    sqlite3_stmt *statement;
    int code = prepare(db, sql, &statement);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_step(statement);
    bool is_found = code == SQLITE_ROW && sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
    if (is_found)
        *ret_value = sqlite3_column_int64(statement, 0);
    int final_code = sqlite3_finalize(statement);
    if (is_found)
        return SQLITE_OK;
    return final_code != SQLITE_OK ? final_code : SQLITE_NOTFOUND;
}

static int step_objects(sqlite3_stmt *statement, void (*on_object)(void *context, struct bytes text), void *context)
{
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        size_t len = (size_t)sqlite3_column_bytes(statement, 0);
        on_object(context, text != NULL ? bytes_make(text, len) : BYTES(""));
    }
    return code;
}

static int sqlite_load(struct store_disk *store_disk, void (*on_object)(void *context, struct bytes text),
                       void *context, uint64_t *ret_version, char error[ERROR_SIZE])
{
    struct sqlite_disk *disk = disk_of(store_disk);
    int64_t version;
    int code = query_integer(disk->db, "SELECT value FROM meta WHERE key = 'version'", &version);
    if (code != SQLITE_OK)
        return explain(disk, code == SQLITE_NOTFOUND ? SQLITE_CORRUPT : code, error);
    sqlite3_stmt *statement;
    code = prepare(disk->db, "SELECT text FROM objects", &statement);
    if (code == SQLITE_OK)
        code = step_objects(statement, on_object, context);
    int result = code == SQLITE_DONE ? 0 : explain(disk, code, error);
    sqlite3_finalize(statement);
    if (result == 0)
        *ret_version = (uint64_t)version;
    return result;
}

/* To its end; it returns no rows. */
static int run(const struct sqlite_disk *disk, enum statement which)
{
    sqlite3_stmt *statement = disk->statements[which];
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int write_change(const struct sqlite_disk *disk, const struct disk_change *change)
{
    enum statement which = change->text.len > 0 ? PUT : REMOVE;
    sqlite3_stmt *statement = disk->statements[which];
    int code = sqlite3_bind_text(statement, 1, change->kind, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 2, change->namespace_, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 3, change->name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && which == PUT)
        code = sqlite3_bind_int64(statement, 4, (sqlite3_int64)change->version);
    if (code == SQLITE_OK && which == PUT)
        code = sqlite3_bind_text64(statement, 5, change->text.data, change->text.len, SQLITE_STATIC, SQLITE_UTF8);
    return code == SQLITE_OK ? run(disk, which) : code;
}

static int write_version(const struct sqlite_disk *disk, uint64_t version)
{
    int code = sqlite3_bind_int64(disk->statements[SET_VERSION], 1, (sqlite3_int64)version);
    return code == SQLITE_OK ? run(disk, SET_VERSION) : code;
}

static int write_all(const struct sqlite_disk *disk, const struct disk_change *changes, unsigned count,
                     uint64_t version)
{
    int code = run(disk, BEGIN);
    for (unsigned i = 0; i < count && code == SQLITE_OK; i++)
        code = write_change(disk, &changes[i]);
    if (code == SQLITE_OK)
        code = write_version(disk, version);
    return code == SQLITE_OK ? run(disk, COMMIT) : code;
}

/* Leaves nothing behind, so that the next commit starts afresh.  A full disk is the store's to report; what else can
 * happen is known only here. */
static int give_up(struct sqlite_disk *disk, int code)
{
    bool is_full = is_out_of_space(disk->db, code);
    if (!is_full)
        log_limited(&disk->limit, LOG_LEVEL_ERROR, "store", "%s: %s (SQLite code %d, %s)", disk->path,
                    sqlite3_errmsg(disk->db), code, strerror(last_errno(disk->db)));
    if (!sqlite3_get_autocommit(disk->db)) /* some errors end the transaction by themselves */
        (void)run(disk, ROLLBACK);
    return is_full ? -ENOSPC : -EIO;
}

static int sqlite_commit(struct store_disk *store_disk, const struct disk_change *changes, unsigned count,
                         uint64_t version)
{
    struct sqlite_disk *disk = disk_of(store_disk);
    int code = write_all(disk, changes, count, version);
    return code == SQLITE_OK ? 0 : give_up(disk, code);
}

static uint64_t file_bytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static uint64_t sqlite_size_bytes(struct store_disk *store_disk)
{
    const struct sqlite_disk *disk = disk_of(store_disk);
    return file_bytes(disk->path) + file_bytes(disk->wal_path);
}

/* The write-ahead log goes into the file, so that the file alone can be copied. */
static void sqlite_close(struct store_disk *store_disk)
{
    struct sqlite_disk *disk = disk_of(store_disk);
    for (unsigned i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(disk->statements[i]);
    if (disk->db != NULL)
        (void)sqlite3_wal_checkpoint_v2(disk->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_close(disk->db);
    free(disk->path);
    free(disk->wal_path);
    free(disk);
}

static struct sqlite_disk *disk_new(const char *path)
{
    static const struct store_disk_ops ops = {
        .load = sqlite_load, .commit = sqlite_commit, .size_bytes = sqlite_size_bytes, .close = sqlite_close};
    struct sqlite_disk *disk = must(calloc(1, sizeof *disk));
    disk->disk.ops = &ops;
    disk->path = must(strdup(path));
    if (asprintf(&disk->wal_path, "%s-wal", path) < 0)
        abort();
    return disk;
}

/* Only the owner may read it: there are Secrets inside.  SQLite gives its other files the same mode. */
static int make_file(const struct sqlite_disk *disk, char error[ERROR_SIZE])
{
    int fd = open(disk->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int result = -errno;
        snprintf(error, ERROR_SIZE, "%s cannot be opened: %s", disk->path, strerror(errno));
        return result;
    }
    close(fd);
    return 0;
}

static int connect_to(struct sqlite_disk *disk, char error[ERROR_SIZE])
{
    int code = sqlite3_open_v2(disk->path, &disk->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return explain(disk, code, error);
    sqlite3_extended_result_codes(disk->db, 1);
    sqlite3_busy_timeout(disk->db, BUSY_TIMEOUT_MS);
    return 0;
}

/* Before anything is written: the file may be another program's, or a later version's. */
static int check_schema(const struct sqlite_disk *disk, bool *ret_is_new, char error[ERROR_SIZE])
{
    int64_t tables, schema;
    int code = query_integer(disk->db, "SELECT count(*) FROM sqlite_master", &tables);
    if (code != SQLITE_OK)
        return explain(disk, code, error);
    *ret_is_new = tables == 0;
    if (tables == 0)
        return 0;
    code = query_integer(disk->db, "SELECT value FROM meta WHERE key = 'schema'", &schema);
    if (code == SQLITE_ERROR || code == SQLITE_NOTFOUND || (code == SQLITE_OK && schema < SCHEMA)) {
        snprintf(error, ERROR_SIZE, "%s is a database of another program: name another file, or move it away",
                 disk->path);
        return -EINVAL;
    }
    if (code != SQLITE_OK)
        return explain(disk, code, error);
    if (schema > SCHEMA) {
        snprintf(error, ERROR_SIZE,
                 "%s was written by a later version of serin (schema %lld, this one knows %d): run that version, or "
                 "move the file away to start empty",
                 disk->path, (long long)schema, SCHEMA);
        return -EINVAL;
    }
    return 0;
}

static int use_wal(const struct sqlite_disk *disk, char error[ERROR_SIZE])
{
    sqlite3_stmt *statement;
    int code = prepare(disk->db, "PRAGMA journal_mode = WAL", &statement);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    bool is_wal = code == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    int result = 0;
    if (code != SQLITE_ROW)
        result = explain(disk, code, error);
    else if (!is_wal)
        result = -EINVAL;
    sqlite3_finalize(statement);
    if (result == -EINVAL)
        snprintf(error, ERROR_SIZE, "%s cannot have a write-ahead log: its folder must be on a local file system",
                 disk->path);
    return result;
}

/* FULL: the log is synced by every commit.  The log's file is cut back to its usual size after a burst. */
static int set_up(struct sqlite_disk *disk, bool is_new, char error[ERROR_SIZE])
{
    static const char pragmas[] = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;"
                                  "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY";
    int code = sqlite3_exec(disk->db, pragmas, NULL, NULL, NULL);
    if (code == SQLITE_OK && is_new)
        code = sqlite3_exec(disk->db, create_sql, NULL, NULL, NULL);
    for (unsigned i = 0; i < STATEMENT_COUNT && code == SQLITE_OK; i++)
        code = prepare(disk->db, statement_sql[i], &disk->statements[i]);
    return code == SQLITE_OK ? 0 : explain(disk, code, error);
}

struct store_disk *sqlite_disk_open(const char *path, char error[ERROR_SIZE])
{
    struct sqlite_disk *disk = disk_new(path);
    bool is_new = false;
    if (make_file(disk, error) == 0 && connect_to(disk, error) == 0 && check_schema(disk, &is_new, error) == 0 &&
        use_wal(disk, error) == 0 && set_up(disk, is_new, error) == 0)
        return &disk->disk;
    sqlite_close(&disk->disk);
    return NULL;
}
