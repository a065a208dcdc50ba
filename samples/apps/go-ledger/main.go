// Keeps a ledger in /data.
package main

import (
	"fmt"
	"log"
	"net/http"
	"strconv"
)

func main() {
	ledger, err := open("/data/ledger.db")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /entries/{amount}", func(w http.ResponseWriter, r *http.Request) {
		amount, err := strconv.ParseInt(r.PathValue("amount"), 10, 64)
		if err != nil {
			http.Error(w, "not an amount", http.StatusBadRequest)
			return
		}
		if err := ledger.add(amount); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	http.HandleFunc("GET /sum", func(w http.ResponseWriter, r *http.Request) {
		count, total, err := ledger.sum()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "%d entries, %d in all\n", count, total)
	})
	log.Print("listening on :9000")
	log.Fatal(http.ListenAndServe(":9000", nil))
}
