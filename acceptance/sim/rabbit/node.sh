# One run of the node: its own epmd, then RabbitMQ. It begins when the guard knows of this process group; if that never happens
# because the starter is gone, standard input ends. The command is in $1.
read -r _ || exit 1
exec </dev/null
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
epmd=$!
until epmd -names >/dev/null 2>&1; do kill -0 "$epmd" || exit 1; done
"$1" -eval '{ok,M,B}=compile:file("styring",[binary]),{module,M}=code:load_binary(M,"styring",B),ok=M:start("styring").'
svar=$?
kill "$epmd"
exit "$svar"
