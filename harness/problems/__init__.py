"""What is learned: tasks of a data set, the network and its initial weights, streams of random numbers."""
