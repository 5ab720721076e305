%% The kernel workloads on Erlang/OTP. Reads lines "WORKLOAD COUNT" and answers each with the nanoseconds of one operation.
-module(workloads).
-export([start/0, parked/1, cold/0]).

-define(BATCH, 1000).
-define(RING, 1000).
-define(PILE, 100000).

%% In a process of its own: the one that -s runs in traps exits, and so gathers messages nobody takes.
start() -> spawn(fun main/0).

main() ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            [Name, Text] = string:lexemes(string:trim(Line), " "),
            Times = list_to_integer(Text),
            Start = erlang:monotonic_time(nanosecond),
            ok = run(list_to_atom(Name), Times),
            Spent = erlang:monotonic_time(nanosecond) - Start,
            io:format("~.3f~n", [Spent / Times]),
            main()
    end.

%% spawn-reply-wait: children that send one message and end; the parent takes all messages and all ends.
run('spawn-reply-wait', Times) -> batches(Times, fun spawn_batch/1);
run('ping-pong', Times) ->
    Self = self(),
    Partner = spawn_link(fun() -> pong(Self, Times) end),
    ping(Partner, Times);
run('yield-switch', Times) ->
    Turns = (Times + ?BATCH - 1) div ?BATCH,
    Self = self(),
    [spawn_link(fun() -> yields(Turns), Self ! done end) || _ <- lists:seq(1, ?BATCH)],
    gather(?BATCH);
run('send-drain', Times) -> piles(Times);
run('try-send-receive', Times) -> try_both(Times);
run('ring-1000', Times) ->
    Laps = (Times + ?RING - 1) div ?RING,
    Self = self(),
    First = spawn_link(fun() -> ring_first(Self, Laps) end),
    Last = lists:foldl(fun(_, Next) -> spawn_link(fun() -> ring_node(Next, Laps) end) end, First, lists:seq(2, ?RING)),
    First ! {next, Last},
    receive ended -> ok end;
run('one-to-one-100', Times) -> one_to_one(Times, 100);
run('one-to-one-1k', Times) -> one_to_one(Times, 1000);
run('one-to-one-10k', Times) -> one_to_one(Times, 10000);
run('one-to-one-100k', Times) -> one_to_one(Times, 100000);
run('timer-insert-cancel', Times) -> timers(Times).

batches(Left, _) when Left =< 0 -> ok;
batches(Left, Fun) -> Fun(min(Left, ?BATCH)), batches(Left - ?BATCH, Fun).

spawn_batch(Count) ->
    Self = self(),
    [spawn_monitor(fun() -> Self ! {one, 1} end) || _ <- lists:seq(1, Count)],
    replies_and_ends(2 * Count).

%% Taken in the order of arrival: a selective receive would scan over the other kind.
replies_and_ends(0) -> ok;
replies_and_ends(N) ->
    receive
        {one, 1} -> replies_and_ends(N - 1);
        {'DOWN', _, process, _, normal} -> replies_and_ends(N - 1)
    end.

ping(_, 0) -> ok;
ping(Partner, N) -> Partner ! N, receive N -> ping(Partner, N - 1) end.

pong(_, 0) -> ok;
pong(Partner, N) -> receive I -> Partner ! I, pong(Partner, N - 1) end.

yields(0) -> ok;
yields(N) -> erlang:yield(), yields(N - 1).

gather(0) -> ok;
gather(N) -> receive done -> gather(N - 1) end.

piles(Left) when Left =< 0 -> ok;
piles(Left) -> Count = min(Left, ?PILE), pile(self(), Count), drain(Count), piles(Left - Count).

pile(_, 0) -> ok;
pile(Self, N) -> Self ! {i, N}, pile(Self, N - 1).

drain(0) -> ok;
drain(N) -> receive {i, _} -> drain(N - 1) end.

try_both(0) -> ok;
try_both(N) -> self() ! N, receive N -> ok after 0 -> exit(lost) end, try_both(N - 1).

ring_first(Parent, Laps) ->
    receive {next, Next} -> Next ! 0, ring_laps(Next, Laps - 1) end,
    receive _ -> Parent ! ended end.

ring_laps(_, 0) -> ok;
ring_laps(Next, Laps) -> receive N when is_integer(N) -> Next ! N + 1, ring_laps(Next, Laps - 1) end.

ring_node(_, 0) -> ok;
ring_node(Next, Laps) -> receive N -> Next ! N + 1, ring_node(Next, Laps - 1) end.

one_to_one(Left, _) when Left =< 0 -> ok;
one_to_one(Left, Size) ->
    Count = min(Left, Size),
    {Consumer, Ref} = spawn_monitor(fun() -> consume(Count) end),
    produce(Consumer, Count),
    receive {'DOWN', Ref, process, _, normal} -> one_to_one(Left - Count, Size) end.

consume(0) -> ok;
consume(N) -> receive _ -> consume(N - 1) end.

produce(_, 0) -> ok;
produce(To, N) -> To ! N, produce(To, N - 1).

timers(Times) ->
    Refs = [erlang:start_timer(3600000 + (I * 7919 rem 100000), self(), none) || I <- lists:seq(1, Times)],
    lists:foreach(fun(Ref) -> erlang:cancel_timer(Ref) end, Refs).

%% Resident bytes per process that waits for a message it never gets.
parked(Count) ->
    Before = resident(),
    Pids = [spawn(fun() -> receive never -> ok end end) || _ <- lists:seq(1, Count)],
    erlang:yield(),
    timer:sleep(200),
    After = resident(),
    io:format("~.3f~n", [(After - Before) / length(Pids)]),
    halt(0).

%% One process that runs and ends.
cold() ->
    {_, Ref} = spawn_monitor(fun() -> erlang:yield() end),
    receive {'DOWN', Ref, process, _, normal} -> halt(0) end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(binary_to_list(Text), " "),
    list_to_integer(Pages) * 4096.
