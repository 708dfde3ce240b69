/* SPDX-License-Identifier: Apache-2.0 */
/* test_sqlite_disk.c: real files: what comes back after a close and after a kill, and what is said of files that cannot
 * be used.  Below SQLite, the kernel's write and sync are replaced by ones that fail on demand. */
#include "unit/kube/store/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the kernel does from now on; one thread at a time looks. */
static struct kernel {
    int write_errno; /* 0: writes work, while there is room */
    size_t room;     /* bytes that can be written before the disk is full */
    int sync_errno;  /* 0: syncs work */
    unsigned syncs;
} kernel = {.room = SIZE_MAX};

static ssize_t write_at(int fd, const void *data, size_t size, off_t offset)
{
    errno = kernel.write_errno != 0 ? kernel.write_errno : ENOSPC;
    if (kernel.write_errno != 0 || kernel.room < size)
        return -1;
    kernel.room -= size;
    return pwrite(fd, data, size, offset);
}

static int sync_file(int fd)
{
    kernel.syncs++;
    if (kernel.sync_errno == 0)
        return (int)syscall(SYS_fdatasync, fd);
    errno = kernel.sync_errno;
    return -1;
}

/* Found by the dynamic linker before the C library's. */
int fdatasync(int fd)
{
    return sync_file(fd);
}

int fsync(int fd)
{
    return sync_file(fd);
}

static int take_over_writes(void **state)
{
    (void)state;
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    bool is_replaced = false;
    static const char *const names[] = {"pwrite", "pwrite64"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)write_at) == SQLITE_OK)
            is_replaced = true;
    }
    return is_replaced ? 0 : -1;
}

struct folder {
    char path[64];
    char file[96];
    char error[300];
    struct store_disk *disk;
};

static void folder_open(struct folder *folder)
{
    kernel = (struct kernel){.room = SIZE_MAX};
    *folder = (struct folder){.path = "/tmp/test_sqlite_disk.XXXXXX"};
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/serin.db", folder->path);
}

static void folder_close(struct folder *folder)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[128];
    if (folder->disk != NULL)
        folder->disk->ops->close(folder->disk);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(name, sizeof name, "%s%s", folder->file, suffixes[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(folder->path), 0);
}

static void disk_open(struct folder *folder)
{
    folder->disk = sqlite_disk_open(folder->file, folder->error);
    if (folder->disk == NULL)
        print_error("%s\n", folder->error);
    assert_non_null(folder->disk);
}

static void disk_reopen(struct folder *folder)
{
    folder->disk->ops->close(folder->disk);
    disk_open(folder);
}

static struct disk_change change_of(const char *name, uint64_t version, const char *text)
{
    return (struct disk_change){
        .kind = "configmaps", .namespace_ = "default", .name = name, .version = version, .text = bytes_of(text)};
}

static int commit_one(const struct folder *folder, const char *name, uint64_t version, const char *text)
{
    struct disk_change change = change_of(name, version, text);
    return folder->disk->ops->commit(folder->disk, &change, 1, version);
}

/* All texts, each in brackets. */
struct contents {
    char text[2048];
    uint64_t version;
};

static void append_text(void *context, struct bytes text)
{
    struct contents *contents = context;
    size_t len = strlen(contents->text);
    snprintf(contents->text + len, sizeof contents->text - len, "[%.*s]", BYTES_ARG(text));
}

static void assert_contents(struct folder *folder, const char *expected, uint64_t version)
{
    struct contents contents = {.text = ""};
    int error = folder->disk->ops->load(folder->disk, append_text, &contents, &contents.version, folder->error);
    if (error != 0)
        print_error("%s\n", folder->error);
    assert_int_equal(error, 0);
    assert_string_equal(contents.text, expected);
    assert_int_equal(contents.version, version);
}

static void a_new_file_is_empty_and_private(void **state)
{
    (void)state;
    struct folder folder;
    struct stat status;
    folder_open(&folder);
    disk_open(&folder);
    assert_contents(&folder, "", 0);
    assert_int_equal(stat(folder.file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(folder.disk->ops->size_bytes(folder.disk) >= (uint64_t)status.st_size);
    assert_true(folder.disk->ops->size_bytes(folder.disk) > 0);
    folder_close(&folder);
}

static void what_was_committed_comes_back(void **state)
{
    (void)state;
    struct folder folder;
    folder_open(&folder);
    disk_open(&folder);
    const struct disk_change changes[] = {
        change_of("b", 11, "{\"b\":1}"),
        change_of("a", 12, "{\"a\":1}"),
        change_of("c", 13, "{\"c\":1}"),
        change_of("a", 14, "{\"a\":\"\xc3\xa9\xf0\x9f\x90\xa4\"}"), /* the same again */
        change_of("c", 15, ""),
        change_of("never", 16, ""),
    };
    assert_int_equal(folder.disk->ops->commit(folder.disk, changes, ARRAY_LEN(changes), 16), 0);
    assert_contents(&folder, "[{\"a\":\"\xc3\xa9\xf0\x9f\x90\xa4\"}][{\"b\":1}]", 16);
    disk_reopen(&folder);
    assert_contents(&folder, "[{\"a\":\"\xc3\xa9\xf0\x9f\x90\xa4\"}][{\"b\":1}]", 16);
    assert_int_equal(commit_one(&folder, "a", 17, ""), 0);
    assert_int_equal(commit_one(&folder, "d", (uint64_t)1 << 52, "{\"d\":1}"), 0);
    disk_reopen(&folder);
    assert_contents(&folder, "[{\"b\":1}][{\"d\":1}]", (uint64_t)1 << 52);
    folder_close(&folder);
}

static void kinds_and_namespaces_are_part_of_the_key(void **state)
{
    (void)state;
    struct folder folder;
    folder_open(&folder);
    disk_open(&folder);
    struct disk_change changes[] = {change_of("a", 1, "1"), change_of("a", 2, "2"), change_of("a", 3, "3")};
    changes[1].namespace_ = "other";
    changes[2].kind = "gateways.gateway.networking.k8s.io";
    assert_int_equal(folder.disk->ops->commit(folder.disk, changes, 3, 3), 0);
    assert_contents(&folder, "[1][2][3]", 3);
    folder_close(&folder);
}

static void every_commit_is_synced(void **state)
{
    (void)state;
    struct folder folder;
    folder_open(&folder);
    disk_open(&folder);
    for (unsigned i = 1; i <= 5; i++) {
        unsigned before = kernel.syncs;
        assert_int_equal(commit_one(&folder, "a", i, "{}"), 0);
        assert_true(kernel.syncs > before);
    }
    folder_close(&folder);
}

static void a_closed_disk_is_one_file(void **state)
{
    (void)state;
    struct folder folder;
    char wal[128];
    folder_open(&folder);
    snprintf(wal, sizeof wal, "%s-wal", folder.file);
    disk_open(&folder);
    assert_int_equal(commit_one(&folder, "a", 1, "{}"), 0);
    assert_int_equal(access(wal, F_OK), 0);
    folder.disk->ops->close(folder.disk);
    assert_int_equal(access(wal, F_OK), -1);
    disk_open(&folder);
    assert_contents(&folder, "[{}]", 1);
    folder_close(&folder);
}

/* Somebody looks into the file meanwhile, so that SQLite would leave the log to him. */
static void the_log_goes_into_the_file_even_if_others_have_it_open(void **state)
{
    (void)state;
    struct folder folder;
    struct stat status;
    sqlite3 *other;
    char wal[128];
    folder_open(&folder);
    snprintf(wal, sizeof wal, "%s-wal", folder.file);
    disk_open(&folder);
    assert_int_equal(commit_one(&folder, "a", 1, "{}"), 0);
    assert_int_equal(sqlite3_open(folder.file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "SELECT * FROM objects", NULL, NULL, NULL), SQLITE_OK);
    folder.disk->ops->close(folder.disk);
    folder.disk = NULL;
    assert_int_equal(stat(wal, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    folder_close(&folder);
}

/* In a process of its own, which is killed once two commits are acknowledged. */
static void commit_and_die(struct folder *folder)
{
    folder->disk = sqlite_disk_open(folder->file, folder->error);
    if (folder->disk == NULL || commit_one(folder, "a", 1, "{\"a\":1}") != 0 ||
        commit_one(folder, "b", 2, "{\"b\":1}") != 0)
        _exit(1);
    (void)kill(getpid(), SIGKILL);
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    (void)state;
    struct folder folder;
    int status;
    folder_open(&folder);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        commit_and_die(&folder);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    disk_open(&folder);
    assert_contents(&folder, "[{\"a\":1}][{\"b\":1}]", 2);
    assert_int_equal(commit_one(&folder, "c", 3, "{}"), 0);
    folder_close(&folder);
}

enum { BIG = 20000 };

/* Three changes, of which the disk has room for one or two. */
static int commit_big(const struct folder *folder, char text[BIG])
{
    memset(text, 'x', BIG - 1);
    text[BIG - 1] = '\0';
    const struct disk_change changes[] = {change_of("a", 2, text), change_of("b", 3, text), change_of("old", 4, "")};
    return folder->disk->ops->commit(folder->disk, changes, ARRAY_LEN(changes), 4);
}

static void a_full_disk_refuses_all_of_a_transaction_and_then_works_again(void **state)
{
    (void)state;
    struct folder folder;
    char text[BIG];
    for (size_t room = 0; room <= 40000; room += 5000) {
        folder_open(&folder);
        disk_open(&folder);
        assert_int_equal(commit_one(&folder, "old", 1, "{}"), 0);
        kernel.room = room;
        assert_int_equal(commit_big(&folder, text), -ENOSPC);
        assert_int_equal(commit_big(&folder, text), -ENOSPC);
        assert_contents(&folder, "[{}]", 1);
        kernel.room = SIZE_MAX;
        assert_int_equal(commit_one(&folder, "new", 5, "[]"), 0);
        assert_contents(&folder, "[[]][{}]", 5);
        disk_reopen(&folder);
        assert_contents(&folder, "[[]][{}]", 5);
        assert_int_equal(commit_big(&folder, text), 0);
        folder_close(&folder);
    }
}

static void errors_of_the_kernel_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        int write_errno, sync_errno, expected;
    } cases[] = {{ENOSPC, 0, -ENOSPC}, {EDQUOT, 0, -ENOSPC}, {EFBIG, 0, -ENOSPC},
                 {EIO, 0, -EIO},       {EROFS, 0, -EIO},     {0, EIO, -EIO}};
    struct folder folder;
    folder_open(&folder);
    disk_open(&folder);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        kernel.write_errno = cases[i].write_errno;
        kernel.sync_errno = cases[i].sync_errno;
        assert_int_equal(commit_one(&folder, "a", 2 * i + 1, "\"no\""), cases[i].expected);
        kernel.write_errno = kernel.sync_errno = 0;
        assert_int_equal(commit_one(&folder, "b", 2 * i + 2, "\"yes\""), 0);
        assert_contents(&folder, "[\"yes\"]", 2 * i + 2);
    }
    disk_reopen(&folder);
    assert_contents(&folder, "[\"yes\"]", 2 * ARRAY_LEN(cases));
    folder_close(&folder);
}

/* A key that is NULL breaks a rule of the table, which SQLite answers without ending the transaction. */
static void a_change_that_cannot_be_written_takes_its_transaction_along(void **state)
{
    (void)state;
    struct folder folder;
    folder_open(&folder);
    disk_open(&folder);
    struct disk_change changes[] = {change_of("a", 1, "1"), change_of("b", 2, "2")};
    changes[1].name = NULL;
    assert_int_equal(folder.disk->ops->commit(folder.disk, changes, 2, 2), -EIO);
    assert_contents(&folder, "", 0);
    assert_int_equal(commit_one(&folder, "c", 3, "3"), 0);
    disk_reopen(&folder);
    assert_contents(&folder, "[3]", 3);
    folder_close(&folder);
}

/* The kernel's own refusal, not one made here. */
static void a_file_size_limit_is_a_full_disk(void **state)
{
    (void)state;
    struct folder folder;
    struct rlimit before, small;
    char text[BIG];
    folder_open(&folder);
    disk_open(&folder);
    assert_int_equal(commit_one(&folder, "old", 1, "{}"), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = folder.disk->ops->size_bytes(folder.disk) + 8192;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int error = commit_big(&folder, text);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(error, -ENOSPC);
    assert_int_equal(commit_one(&folder, "new", 5, "[]"), 0);
    assert_contents(&folder, "[[]][{}]", 5);
    folder_close(&folder);
}

static void assert_refused(struct folder *folder, const char *sentence)
{
    folder->disk = sqlite_disk_open(folder->file, folder->error);
    assert_null(folder->disk);
    if (strstr(folder->error, sentence) == NULL || strstr(folder->error, folder->file) == NULL)
        fail_msg("%s", folder->error);
}

static void overwrite(const struct folder *folder, off_t offset, const char *data, size_t len)
{
    int fd = open(folder->file, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, len, offset), len);
    close(fd);
}

static void a_file_that_is_no_database_is_said_to_be_damaged(void **state)
{
    (void)state;
    struct folder folder;
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    folder_open(&folder);
    overwrite(&folder, 0, noise, sizeof noise);
    assert_refused(&folder, "is damaged (file is not a database): put back a copy of it, or move it");
    folder_close(&folder);
}

static void damage_inside_the_file_is_found_when_it_is_loaded(void **state)
{
    (void)state;
    struct folder folder;
    struct contents contents = {.text = ""};
    char noise[4096], text[BIG];
    memset(noise, 'x', sizeof noise);
    folder_open(&folder);
    disk_open(&folder);
    assert_int_equal(commit_big(&folder, text), 0);
    folder.disk->ops->close(folder.disk);
    for (off_t page = 2; page < 12; page++) /* the first two hold the schema and the table `meta` */
        overwrite(&folder, page * 4096, noise, sizeof noise);
    disk_open(&folder);
    assert_int_equal(folder.disk->ops->load(folder.disk, append_text, &contents, &contents.version, folder.error),
                     -EIO);
    assert_non_null(strstr(folder.error, "is damaged (database disk image is malformed)"));
    folder_close(&folder);
}

static void run_sql(const struct folder *folder, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_file_of_a_later_version_is_left_alone(void **state)
{
    (void)state;
    struct folder folder;
    struct stat before, after;
    folder_open(&folder);
    disk_open(&folder);
    folder.disk->ops->close(folder.disk);
    run_sql(&folder, "UPDATE meta SET value = 2 WHERE key = 'schema'");
    assert_int_equal(stat(folder.file, &before), 0);
    assert_refused(&folder, "was written by a later version of serin (schema 2, this one knows 1): run that version");
    assert_int_equal(stat(folder.file, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    folder_close(&folder);
}

static void a_database_of_another_program_is_left_alone(void **state)
{
    (void)state;
    static const char *const schemas[] = {"CREATE TABLE songs(name)", "CREATE TABLE meta(key, value)",
                                          "CREATE TABLE meta(key, value); INSERT INTO meta VALUES('schema', 'x')",
                                          "CREATE TABLE meta(key, value); INSERT INTO meta VALUES('schema', 0)"};
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
        struct folder folder;
        folder_open(&folder);
        run_sql(&folder, schemas[i]);
        assert_refused(&folder, "is a database of another program");
        folder_close(&folder);
    }
}

static void a_lost_version_is_damage(void **state)
{
    (void)state;
    struct folder folder;
    struct contents contents = {.text = ""};
    folder_open(&folder);
    disk_open(&folder);
    folder.disk->ops->close(folder.disk);
    run_sql(&folder, "DELETE FROM meta WHERE key = 'version'");
    disk_open(&folder);
    assert_int_equal(folder.disk->ops->load(folder.disk, append_text, &contents, &contents.version, folder.error),
                     -EIO);
    assert_non_null(strstr(folder.error, "is damaged"));
    folder_close(&folder);
}

static void paths_that_cannot_be_used_are_named(void **state)
{
    (void)state;
    struct folder folder;
    folder_open(&folder);
    char *end = folder.file + strlen(folder.file);
    snprintf(end, 16, "/none/x.db");
    assert_refused(&folder, "cannot be opened: No such file or directory");
    *end = '\0';
    assert_int_equal(mkdir(folder.file, 0700), 0);
    assert_refused(&folder, "cannot be opened: Is a directory");
    assert_int_equal(rmdir(folder.file), 0);
    folder_close(&folder);
}

static void a_disk_that_is_full_at_the_start_is_said_to_be(void **state)
{
    (void)state;
    struct folder folder;
    folder_open(&folder);
    kernel.room = 0;
    assert_refused(&folder, "the disk is full: make room and start again");
    kernel.room = SIZE_MAX;
    disk_open(&folder); /* what the first try left is no obstacle */
    assert_contents(&folder, "", 0);
    folder_close(&folder);
}

static void store_over(struct fixture *fixture, struct folder *folder)
{
    disk_open(folder);
    fixture->store = store_open(fixture->reactor, folder->disk, NULL, fixture->error);
    folder->disk = NULL;
    assert_non_null(fixture->store);
}

static void a_store_keeps_everything_here(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct folder folder;
    struct fixture fixture = {.reactor = reactor_new("test")};
    char name[16];
    folder_open(&folder);
    store_over(&fixture, &folder);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "c%u", i);
        put(&fixture, name, name, NULL);
    }
    for (unsigned i = 0; i < COUNT; i += 3) {
        snprintf(name, sizeof name, "c%u", i);
        erase(&fixture, name, NULL);
    }
    settle(&fixture);
    uint64_t version = store_version(fixture.store);
    store_close(fixture.store);

    store_over(&fixture, &folder);
    assert_true(store_can_resume(fixture.store, version));
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), COUNT - COUNT / 3);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "c%u", i);
        const char *value = durable_value(&fixture, name);
        assert_true(i % 3 == 0 ? value == NULL : strcmp(value, name) == 0);
    }
    store_close(fixture.store);
    reactor_free(fixture.reactor);
    folder_close(&folder);
}

static void a_store_over_a_full_disk_refuses_and_recovers(void **state)
{
    (void)state;
    struct folder folder;
    struct fixture fixture = {.reactor = reactor_new("test")};
    struct writer refused = WRITER;
    folder_open(&folder);
    store_over(&fixture, &folder);
    put_durably(&fixture, "a", "1");
    kernel.room = 0; /* the store's thread rests, and is woken under a lock */
    put(&fixture, "a", "2", &refused);
    assert_int_equal(await(&fixture, &refused), -ENOSPC);
    assert_string_equal(durable_value(&fixture, "a"), "1");
    kernel.room = SIZE_MAX;
    put_durably(&fixture, "a", "3");
    store_close(fixture.store);
    store_over(&fixture, &folder);
    assert_string_equal(durable_value(&fixture, "a"), "3");
    store_close(fixture.store);
    reactor_free(fixture.reactor);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_is_empty_and_private),
        cmocka_unit_test(what_was_committed_comes_back),
        cmocka_unit_test(kinds_and_namespaces_are_part_of_the_key),
        cmocka_unit_test(every_commit_is_synced),
        cmocka_unit_test(a_closed_disk_is_one_file),
        cmocka_unit_test(the_log_goes_into_the_file_even_if_others_have_it_open),
        cmocka_unit_test(what_was_acknowledged_survives_a_kill),
        cmocka_unit_test(a_full_disk_refuses_all_of_a_transaction_and_then_works_again),
        cmocka_unit_test(errors_of_the_kernel_are_told_apart),
        cmocka_unit_test(a_change_that_cannot_be_written_takes_its_transaction_along),
        cmocka_unit_test(a_file_size_limit_is_a_full_disk),
        cmocka_unit_test(a_file_that_is_no_database_is_said_to_be_damaged),
        cmocka_unit_test(damage_inside_the_file_is_found_when_it_is_loaded),
        cmocka_unit_test(a_file_of_a_later_version_is_left_alone),
        cmocka_unit_test(a_database_of_another_program_is_left_alone),
        cmocka_unit_test(a_lost_version_is_damage),
        cmocka_unit_test(paths_that_cannot_be_used_are_named),
        cmocka_unit_test(a_disk_that_is_full_at_the_start_is_said_to_be),
        cmocka_unit_test(a_store_keeps_everything_here),
        cmocka_unit_test(a_store_over_a_full_disk_refuses_and_recovers),
    };
    return cmocka_run_group_tests(tests, take_over_writes, NULL);
}
