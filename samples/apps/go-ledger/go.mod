module example.com/go-ledger

go 1.24
