var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/", () => "ok");
File.AppendAllText("data/log.txt", "x");
app.Run();
