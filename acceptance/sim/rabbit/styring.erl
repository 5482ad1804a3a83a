%% What the simulator asks of its own node, over a socket in the node's private folder: one line in, one line out. rabbitmqctl can
%% answer the same questions, but takes seconds to start and counts from statistics up to five seconds old.
-module(styring).
-export([start/1]).

%% RabbitMQ runs this when it has booted: that the socket answers means that the node is ready.
start(Sti) ->
    Forelder = self(),
    Eier = spawn(fun() -> lytt(Sti, Forelder) end),
    receive {Eier, klar} -> ok after 5000 -> exit(styring_lytter_ikke) end.

lytt(Sti, Forelder) ->
    {ok, L} = gen_tcp:listen(0, [binary, {ifaddr, {local, Sti}}, {packet, line}, {active, false}, {backlog, 128}]),
    spawn(fun() -> ta_imot(L) end),
    Forelder ! {self(), klar},
    receive after infinity -> ok end.

%% The process that accepts owns the socket, and serves it when another has taken its place.
ta_imot(L) ->
    {ok, S} = gen_tcp:accept(L),
    spawn(fun() -> ta_imot(L) end),
    betjen(S).

%% Whatever goes wrong ends this process, and with it the socket: the asker sees that.
betjen(S) ->
    {ok, Linje} = gen_tcp:recv(S, 0, 10000),
    ok = gen_tcp:send(S, [svar(binary:split(string:trim(Linje), <<" ">>)), $\n]).

svar([<<"stopp">>]) -> init:stop(), <<"ok">>;
%% RabbitMQ writes down what it calls a new quorum queue within half a second. Killed before that, it comes back with a queue that never
%% gets a leader, and without what was on it.
svar([<<"lagre">>]) -> [lagre(T) || T <- dets:all()], <<"ok">>;
svar([<<"status">>, Ko]) ->
    case rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, Ko)) of
        {ok, Q} ->
            {ok, {_, Tall}, _} = ra:leader_query(amqqueue:get_pid(Q), fun tell/1, 10000),
            io_lib:format("ok ~b ~b ~b", Tall);
        {error, not_found} -> <<"ukjent">>
    end;
%% Everybody's connections but one user's. A client that does not answer the goodbye within two seconds is cut off.
svar([<<"brudd">>, Unntatt]) ->
    Alle = [{P, monitor(process, P)} || P <- rabbit_networking:local_connections(), bruker(P) =/= Unntatt],
    [spawn(fun() -> rabbit_networking:close_connection(P, "megleren starter igjen") end) || {P, _} <- Alle],
    Frist = erlang:monotonic_time(millisecond) + 2000,
    [vent(P, M, Frist) || {P, M} <- Alle],
    <<"ok">>.

%% A table that mnesia closes meanwhile (it opens its own for a moment when it empties its log) is written by that.
lagre(T) ->
    try ok = dets:sync(T)
    catch _:Feil -> case lists:member(T, dets:all()) of true -> exit(Feil); false -> ok end
    end.

%% One consistent picture of a quorum queue, taken where its log is applied.
tell(S) ->
    [rabbit_fifo:query_messages_ready(S), rabbit_fifo:query_messages_checked_out(S), maps:size(rabbit_fifo:query_consumers(S))].

bruker(P) ->
    try [{user, U}] = rabbit_networking:connection_info(P, [user]), U
    catch _:_ -> borte
    end.

vent(P, M, Frist) ->
    receive {'DOWN', M, process, P, _} -> ok
    after max(0, Frist - erlang:monotonic_time(millisecond)) ->
        exit(P, kill),
        receive {'DOWN', M, process, P, _} -> ok end
    end.
