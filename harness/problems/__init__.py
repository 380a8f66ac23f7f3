"""What is learned: tasks of a data set, the network and its first weights, streams of random numbers."""
