%% Runs supervision scenarios on OTP's supervisor and prints the course of each as one line of JSON.
%% scenarios.config holds {Strategy, Intensity, PeriodSeconds, AutoShutdown, [{Id, Restart, Significant, [{Ms, End}]}], RunMs} terms.
-module(otp_course).
-export([main/1, init/1, start_child/3]).

main([File]) ->
    logger:set_primary_config(level, none),
    {ok, Scenarios} = file:consult(File),
    batches(Scenarios),
    halt().

%% Twenty at a time, printed in order.
batches([]) -> ok;
batches(Scenarios) ->
    {Now, Later} = lists:split(min(20, length(Scenarios)), Scenarios),
    Main = self(),
    Pids = [spawn(fun() -> Main ! {self(), run(Scenario)} end) || Scenario <- Now],
    [receive {Pid, Line} -> io:put_chars(Line) end || Pid <- Pids],
    batches(Later).

init(Arg) -> {ok, Arg}.

collect(Events) ->
    receive
        {event, Event} -> collect([Event | Events]);
        {take, From} -> From ! {events, lists:reverse(Events)}, collect([])
    end.

run({Strategy, Intensity, Period, Auto, Children, RunMs}) ->
    process_flag(trap_exit, true),
    Collector = spawn(fun() -> collect([]) end),
    Flags = #{strategy => Strategy, intensity => Intensity, period => Period, auto_shutdown => Auto},
    Specs = [#{id => Id, start => {?MODULE, start_child, [Collector, Id, Lives]}, restart => Restart, significant => Significant}
             || {Id, Restart, Significant, Lives} <- Children],
    {ok, Supervisor} = supervisor:start_link(?MODULE, {Flags, Specs}),
    GaveUp = receive {'EXIT', Supervisor, shutdown} -> true
             after RunMs -> exit(Supervisor, shutdown), receive {'EXIT', Supervisor, _} -> false end
             end,
    Collector ! {take, self()},
    Events = receive {events, All} -> All end,
    io_lib:format("{\"log\":[~s],\"gaveUp\":~p}~n", [lists:join(",", [[$", Sign, atom_to_list(Id), $"] || {Sign, Id} <- Events]), GaveUp]).

%% Called in the supervisor, whose dictionary counts the lives.
start_child(Collector, Id, Lives) ->
    Turn = case get(Id) of undefined -> 1; Before -> Before + 1 end,
    put(Id, Turn),
    Collector ! {event, {$+, Id}},
    {ok, spawn_link(fun() -> process_flag(trap_exit, true), live(Collector, Id, Turn, Lives) end)}.

live(Collector, Id, Turn, Lives) ->
    {Ms, End} = case Turn =< length(Lives) of true -> lists:nth(Turn, Lives); false -> {infinity, none} end,
    receive
        {'EXIT', _, Reason} -> Collector ! {event, {$-, Id}}, exit(Reason)
    after Ms ->
        Collector ! {event, {$-, Id}},
        case End of crash -> exit(boom); shutdown -> exit(shutdown); return -> ok end
    end.
