Deno.serve({ port: 8000 }, async () => {
  await Deno.mkdir("data", { recursive: true });
  await Deno.writeTextFile("data/seen", new Date().toISOString());
  return new Response("counted\n");
});
