/** All methods that a node answers. */
import type { MethodTable } from '../method.js'
import { concordatMethods } from './concordat.js'
import { debugMethods } from './debug.js'
import { deliveryMethods } from './delivery.js'
import { ethMethods } from './eth.js'
import { ethConfigMethods } from './ethConfig.js'
import { ethLogMethods, type LogMethodNeeds } from './ethLogs.js'
import { ethStateMethods } from './ethState.js'
import { ethTransactionMethods } from './ethTransactions.js'
import { netMethods, rpcMethods, web3Methods } from './netWeb3.js'
import { txpoolMethods } from './txpool.js'

export function buildMethodTable(needs: LogMethodNeeds): MethodTable {
  const entries = [
    ...ethMethods(needs),
    ...ethConfigMethods(needs),
    ...ethTransactionMethods(needs),
    ...ethStateMethods(needs),
    ...ethLogMethods(needs),
    ...netMethods(needs),
    ...web3Methods(needs),
    ...txpoolMethods(needs),
    ...debugMethods(needs),
    ...concordatMethods(needs),
    ...(needs.delivery === undefined ? [] : deliveryMethods(needs.delivery)),
  ]
  return new Map([...entries, ...rpcMethods(entries.map(([name]) => name))])
}
