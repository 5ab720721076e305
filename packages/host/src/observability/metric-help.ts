/** What the metrics mean that the kernel and its services hand to a meter (docs/spec/metrics.md), one line each. */
export const METRIC_HELP: Readonly<Record<string, string>> = {
  account_refused_total: "Calls of services that an account could not pay.",
  backpressure_pauses_total:
    "Times a producer was held back: a sender by a mailbox, a submitter by a job queue.",
  glia_guest_fuel_total: "Fuel that guests used which are tasks of the kernel.",
  glia_message_wait_seconds:
    "Time that messages stood in a mailbox; those handed over directly are not counted.",
  mayfly_queue_depth: "Jobs that wait in a job queue.",
  mayfly_syscall_counts: "System calls made, by name; refused ones are not counted.",
  mayfly_task_latency_seconds: "Time from the making of a task to its end.",
  mayfly_tasks_total: "Tasks that ended, by how: finished, failed, cancelled or killed.",
  scheduler_ready_queue_depth: "Tasks that are ready to run.",
  task_budget_throttle_total: "Times a task was throttled because its budget was used up.",
  task_run_latency_seconds: "Time from the making of a task to its first turn.",
  task_wait_time_seconds: "Time that tasks stood ready before each turn.",
  tasks_running_total: "Tasks that live, by state.",
  tasks_state_total: "Times a task entered a state, by state.",
};
