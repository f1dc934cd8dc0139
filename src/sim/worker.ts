/** A thread that runs the tasks it is sent, one after the other. */
import { parentPort } from 'node:worker_threads'
import { runTask, type Task } from './tally.js'

parentPort?.on('message', (task: Task) => parentPort?.postMessage(runTask(task)))
