<?php
file_put_contents(__DIR__ . "/storage/seen", date("c"));
