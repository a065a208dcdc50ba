#!/usr/bin/env perl
# Pages in files, one request at a time.
use strict;
use warnings;
use IO::Socket::INET;
use File::Spec;
use FindBin;

my $pages = File::Spec->catdir($FindBin::Bin, 'pages');
mkdir $pages unless -d $pages;

my $listener = IO::Socket::INET->new(LocalPort => 8088, Listen => 8, ReuseAddr => 1) or die "cannot listen: $!\n";
$SIG{TERM} = sub { exit 0 };
$| = 1;
print "listening on 8088\n";

while (my $client = $listener->accept) {
    my ($method, $path) = (<$client> // '') =~ m{^(GET|POST) (/[a-z]*) HTTP/} or do { reply($client, 400, "what?\n"); next };
    my $length = 0;
    while (my $line = <$client>) {
        $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
        last if $line =~ /^\r?\n$/;
    }
    my $name = $path eq '/' ? 'home' : substr $path, 1;
    my $file = File::Spec->catfile($pages, "$name.txt");
    if ($method eq 'POST') {
        read $client, my $text, $length;
        open my $page, '>', $file or do { reply($client, 500, "cannot write: $!\n"); next };
        print $page $text;
        close $page;
        reply($client, 201, "kept\n");
    } elsif (open my $page, '<', $file) {
        local $/;
        reply($client, 200, <$page>);
    } else {
        reply($client, 404, "no page $name\n");
    }
}

sub reply {
    my ($client, $status, $text) = @_;
    print $client "HTTP/1.1 $status -\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ", length $text, "\r\n\r\n", $text;
    close $client;
}
