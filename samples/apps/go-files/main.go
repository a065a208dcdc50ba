// Serves the directory site and counts visits.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

func main() {
	var visits atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/visits", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]int64{"visits": visits.Load()})
	})
	mux.HandleFunc("GET /api/time", func(w http.ResponseWriter, r *http.Request) {
		zone, err := time.LoadLocation(r.URL.Query().Get("zone"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Write([]byte(time.Unix(0, 0).In(zone).Format("15:04 MST") + "\n"))
	})
	files := http.FileServer(http.Dir("site"))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		visits.Add(1)
		files.ServeHTTP(w, r)
	})

	address := os.Getenv("LISTEN")
	if address == "" {
		address = ":8080"
	}
	log.Printf("listening on %s", address)
	log.Fatal(http.ListenAndServe(address, mux))
}
