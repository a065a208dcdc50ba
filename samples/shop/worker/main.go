// The worker sends what the shop has promised to send.
package main

import (
	"log"
	"os"
	"time"
)

func main() {
	for {
		if err := os.WriteFile("/tmp/alive", []byte(time.Now().String()), 0o644); err != nil {
			log.Fatal(err)
		}
		time.Sleep(10 * time.Second)
	}
}
