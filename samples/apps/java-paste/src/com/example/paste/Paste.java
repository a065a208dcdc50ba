package com.example.paste;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/** Keeps texts in files and gives them back. */
public final class Paste {
    private static final Pattern NAME = Pattern.compile("/p/([a-z0-9]{1,32})");
    private final Path directory;

    private Paste(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
    }

    public static void main(String[] arguments) throws IOException {
        Paste paste = new Paste(Path.of("data"));
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/p/", paste::answer);
        server.createContext("/status", exchange -> reply(exchange, 200, "up\n"));
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        System.out.println("listening on 8080");
    }

    private void answer(HttpExchange exchange) throws IOException {
        var matcher = NAME.matcher(exchange.getRequestURI().getPath());
        if (!matcher.matches()) {
            reply(exchange, 400, "no such name\n");
            return;
        }
        Path file = directory.resolve(matcher.group(1));
        switch (exchange.getRequestMethod()) {
            case "POST" -> {
                Files.write(file, exchange.getRequestBody().readAllBytes());
                reply(exchange, 201, matcher.group(1) + "\n");
            }
            case "GET" -> {
                if (Files.exists(file)) {
                    reply(exchange, 200, Files.readString(file));
                } else {
                    reply(exchange, 404, "nothing here\n");
                }
            }
            default -> reply(exchange, 405, "GET or POST\n");
        }
    }

    private static void reply(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(status, body.length);
        try (exchange; var output = exchange.getResponseBody()) {
            output.write(body);
        }
    }
}
