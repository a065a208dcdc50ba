package main

// #cgo LDFLAGS: -lsqlite3
// #include <sqlite3.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"sync"
	"unsafe"
)

// Ledger is a table of amounts in a database file.
type Ledger struct {
	lock sync.Mutex
	db   *C.sqlite3
}

func open(file string) (*Ledger, error) {
	name := C.CString(file)
	defer C.free(unsafe.Pointer(name))
	ledger := &Ledger{}
	if C.sqlite3_open(name, &ledger.db) != C.SQLITE_OK {
		return nil, errors.New(C.GoString(C.sqlite3_errmsg(ledger.db)))
	}
	return ledger, ledger.run("create table if not exists entries (amount integer not null)")
}

func (l *Ledger) run(statement string) error {
	text := C.CString(statement)
	defer C.free(unsafe.Pointer(text))
	if C.sqlite3_exec(l.db, text, nil, nil, nil) != C.SQLITE_OK {
		return errors.New(C.GoString(C.sqlite3_errmsg(l.db)))
	}
	return nil
}

func (l *Ledger) add(amount int64) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	statement, err := l.prepare("insert into entries values (?)")
	if err != nil {
		return err
	}
	defer C.sqlite3_finalize(statement)
	C.sqlite3_bind_int64(statement, 1, C.sqlite3_int64(amount))
	if C.sqlite3_step(statement) != C.SQLITE_DONE {
		return errors.New(C.GoString(C.sqlite3_errmsg(l.db)))
	}
	return nil
}

func (l *Ledger) sum() (count, total int64, err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	statement, err := l.prepare("select count(*), coalesce(sum(amount), 0) from entries")
	if err != nil {
		return 0, 0, err
	}
	defer C.sqlite3_finalize(statement)
	if C.sqlite3_step(statement) != C.SQLITE_ROW {
		return 0, 0, errors.New(C.GoString(C.sqlite3_errmsg(l.db)))
	}
	return int64(C.sqlite3_column_int64(statement, 0)), int64(C.sqlite3_column_int64(statement, 1)), nil
}

func (l *Ledger) prepare(query string) (*C.sqlite3_stmt, error) {
	text := C.CString(query)
	defer C.free(unsafe.Pointer(text))
	var statement *C.sqlite3_stmt
	if C.sqlite3_prepare_v2(l.db, text, -1, &statement, nil) != C.SQLITE_OK {
		return nil, errors.New(C.GoString(C.sqlite3_errmsg(l.db)))
	}
	return statement, nil
}
