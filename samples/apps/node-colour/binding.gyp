{
  "targets": [
    { "target_name": "colour", "sources": ["lib/colour.c"] }
  ]
}
