BEGIN TRANSACTION;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('format','1');
INSERT INTO "meta" VALUES('instance','490b7ed7-6102-40c9-8fab-7f9def81ff28');
CREATE TABLE runs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, agent_id TEXT NOT NULL,
        status TEXT NOT NULL, turn TEXT NOT NULL,
        user_id TEXT, parent_task_id TEXT, triggering_agent_id TEXT, internal_status TEXT,
        idempotency_key TEXT UNIQUE, body_hash TEXT, pid INTEGER, pid_started REAL,
        row TEXT NOT NULL, task TEXT NOT NULL);
INSERT INTO "runs" VALUES(1,'076a6b98-d086-42ff-b20c-a8a8fdb9dabb','echo','completed','over',NULL,NULL,NULL,NULL,'k-old','fe9e2b51f8ed5a9a00782a3a28bc0b374f28d2e801c1b6e3aa449966efedda99',29072,1795382438.58,'{"id":"076a6b98-d086-42ff-b20c-a8a8fdb9dabb","agent_id":"echo","organization_id":"local","status":"completed","user_id":null,"parent_task_id":null,"triggering_agent_id":null,"created_at":"2026-11-22T21:20:38.941703Z","updated_at":"2026-11-22T21:20:39.035005Z","source_node_type":"sdk","result":"old","title":null,"execution_kind":null,"process":null,"conversation_kind":null}','{"id":"076a6b98-d086-42ff-b20c-a8a8fdb9dabb","agent_id":"echo","organization_id":"local","status":"completed","input":{"text":"old","files":[],"attachments":[],"user":null,"principal":null},"created_at":"2026-11-22T21:20:38.941703Z","started_at":"2026-11-22T21:20:38.971749Z","paused_at":null,"finished_at":"2026-11-22T21:20:39.034925Z","is_manually_stopped":false,"internal_status":null,"last_executed_node_id":null,"agent_version":null,"result":"old","parent_execution":null,"conversation_id":null,"conversation_kind":null,"execution_kind":null,"source":"sdk","voice_id":null,"output_format":null,"additional_context":null,"instructions_override":null,"expected_output":null,"test_run_node_id":null,"user_oidc_token":null,"triggering_agent_id":null,"title":null,"think_mode":"default","llm_model_provider":null,"llm_model_name":null,"llm_reasoning_effort":null,"harness_cli":null,"permission_mode":null,"should_update_parent":false,"events_streaming":false,"is_orchestration":false,"is_gateway":false,"is_app":false,"background_auth_eligible":false,"disable_attachment_injection":false,"must_deep_plan":false,"return_metrics":false,"tool_call_limit":null,"execution_attempts":1,"duration":0.063,"payload_extension":null,"hitl_request":null,"pending_eca_request":null,"output_schema":null,"user_tokens":null,"deep_planning":{"enabled":false,"enforce":false,"started":false,"question_raised":false,"tasks":[]},"tokens":null,"sub_executions":[],"used_tools":[],"mcp_servers":[]}');
CREATE INDEX runs_by_agent ON runs (agent_id, seq);
CREATE INDEX runs_by_user ON runs (user_id, seq) WHERE user_id IS NOT NULL;
CREATE INDEX runs_unsettled ON runs (turn, seq) WHERE turn <> 'over';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',1);
COMMIT;
